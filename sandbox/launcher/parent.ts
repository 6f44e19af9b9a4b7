const LOOK_EVERY_MS = 500;

/**
 * Calls `onGone` once when npm, which started us, has ended: on SIGTERM it ends without handing the signal on, and nobody would
 * be left to press Ctrl-C. Does nothing when we were started otherwise: a daemon has every right to outlive its shell.
 */
export function whenNpmEnds(onGone: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onGone();
  }, LOOK_EVERY_MS);
  timer.unref();
}

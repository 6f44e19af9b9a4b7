/** Aborts with the first SIGINT or SIGTERM; the command then ends by itself, with exit code 130. */
export function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      process.exitCode = 130;
      controller.abort();
    });
  }
  return controller.signal;
}

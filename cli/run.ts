import { Command } from 'commander';
import { openBridge } from '../engine/bridge.ts';
import { serveMetrics } from '../engine/telemetry/exporter.ts';
import { Log, linesTo, toAll } from '../engine/telemetry/log.ts';
import { Metrics } from '../engine/telemetry/metrics.ts';
import { countIn } from './given.ts';
import { examples, FOLDER } from './help.ts';

/** `hisbridge run`: an engine in the foreground until SIGINT or SIGTERM. */
export function run(): Command {
  const command = new Command('run')
    .description(
      'Run an engine: take messages in, deliver them, and take configuration changes as they are saved.',
    )
    .option(...FOLDER)
    .option('--metrics-port <port>', 'where /metrics, /livez and /readyz are served', '9464')
    .option('--log-level <level>', 'error, warn, info or debug', 'info')
    .option('--json', 'the log is JSON lines always; errors are too')
    .action(serve);
  return examples(
    command,
    ['hisbridge run', 'hisbridge run -c deploy/production --metrics-port 9100'],
    'Environment: DATABASE_URL, HISBRIDGE_DIGEST_KEY, and what routes.yaml names as ${env:NAME}.\nExit codes: 0 stopped, 2 configuration, 3 PostgreSQL or RabbitMQ not reached.',
  );
}

interface Options {
  readonly config: string;
  readonly metricsPort: string;
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
}

async function serve({ config, metricsPort, logLevel }: Options): Promise<void> {
  // 0 is any free port.
  const port = metricsPort === '0' ? 0 : countIn('--metrics-port', metricsPort);
  const metrics = new Metrics();
  const telemetry = toAll(new Log(logLevel, linesTo(process.stdout)), metrics);
  const exporter = await serveMetrics(
    metrics,
    port,
    process.env['METRICS_HOST'] ?? '127.0.0.1',
    () => metrics.storeIsUp,
  );
  try {
    const stopped = signalled();
    const bridge = await openBridge({ root: config, env: process.env, telemetry });
    process.stdout.write(
      `${JSON.stringify({ event: 'ready', plan: bridge.plan.hash, metrics: exporter.address })}\n`,
    );
    await stopped;
    await bridge.stop();
  } finally {
    await exporter.close();
  }
}

/** Resolves with the first SIGINT or SIGTERM; a second one ends the process at once. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

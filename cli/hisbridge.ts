import './memory.ts';

// Who reads the output has read enough: `hisbridge listen | head -1`.
process.stdout.on('error', (thrown: NodeJS.ErrnoException) => {
  if (thrown.code === 'EPIPE') process.exit(0);
  throw thrown;
});

// Loaded only now, or its loading would come before.
const { main } = await import('./main.ts');
await main(process.argv.slice(2));

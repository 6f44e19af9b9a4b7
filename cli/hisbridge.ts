import './memory.ts';

// Loaded only now, or its loading would come before.
const { main } = await import('./main.ts');
await main(process.argv.slice(2));

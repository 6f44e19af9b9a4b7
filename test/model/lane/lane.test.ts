import { memoryWorld } from '../worlds.ts';
import { describeLanes } from './spec.ts';

describeLanes('memory', memoryWorld, { count: 400, deep: 5_000, hasPerson: false });

import { memoryWorld } from '../worlds.ts';
import { describeLanes } from './spec.ts';

describeLanes('memory', memoryWorld, { count: 1_000, deep: 20_000, hasPerson: false });

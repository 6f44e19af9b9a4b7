import { memoryWorld } from '../worlds.ts';
import { describeLeases } from './spec.ts';

describeLeases('memory', memoryWorld, { count: 300, deep: 5_000 });

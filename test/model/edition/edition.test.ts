import { memoryWorld } from '../worlds.ts';
import { describeEditions } from './spec.ts';

describeEditions('memory', memoryWorld, { count: 120, deep: 3_000, hasPerson: false });

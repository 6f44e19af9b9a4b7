import type { Learnt } from '../booking.ts';
import { BridgeError } from '../errors.ts';
import type { Facts } from '../facts.ts';
import { DEFAULT_LIMITS } from '../forms/form.ts';
import type { Message } from '../message.ts';
import type { AnswerReading } from '../route.ts';
import { type Compilation, reportValue } from './compilation.ts';
import { type Condition, conditionIn, wantedIn } from './condition.ts';
import type { AnswerConfig, FormName, WhenConfig } from './config.ts';
import { type Learn, learnIn } from './paths.ts';
import type { At } from './positions.ts';
import { usable } from './read.ts';
import { didYouMean } from './suggest.ts';
import { NO_EVENT } from './vocabulary.ts';

/** Reads an answer. Never throws. */
export type ReadAnswer = (answer: Uint8Array, asked: Message, facts: Facts) => AnswerReading;

interface Meaning {
  readonly holds: Condition;
  readonly event: string | null;
  readonly learn: Learn;
}

/** Compiles `answer:` of the route at `at`; `types` are those the route takes, null when they are not known. */
export function compileAnswer(
  compilation: Compilation,
  { as: form = 'json', becomes = [], learn = {} }: AnswerConfig,
  at: At,
  { route, types }: { readonly route: string; readonly types: ReadonlySet<string> | null },
): ReadAnswer {
  const always = learnIn(compilation, form, learn, { at: [...at, 'learn'], from: 'answer' });
  const meanings = becomes.flatMap((entry, index): Meaning[] => {
    if (entry === null) return [];
    const here = [...at, 'becomes', index];
    const { when = {}, event = NO_EVENT, learn: more = {} } = entry;
    checkAsked(compilation, when, [...here, 'when'], types);
    return [
      {
        holds: conditionIn(compilation, form, when, { at: [...here, 'when'], words: ['asked'] }),
        event: event === NO_EVENT ? null : event,
        learn: learnIn(compilation, form, more, { at: [...here, 'learn'], from: 'answer' }),
      },
    ];
  });
  const codec = compilation.tools.codecs[form];
  return (answer, asked) => {
    try {
      const body = codec.decode(answer, DEFAULT_LIMITS);
      const meaning = meanings.find(({ holds }) => holds(body, { asked: asked.type }));
      if (meaning === undefined)
        return refused('answer-unmapped', 'no entry of `becomes` holds for the answer', route);
      return means(meaning.event, { ...always(body, {}), ...meaning.learn(body, {}) }, form, route);
    } catch (thrown) {
      const cause = BridgeError.from(thrown, 'stage-crashed', route);
      return {
        kind: 'refused',
        error: new BridgeError('answer-unreadable', 'the answer cannot be read', { cause, at: route }),
      };
    }
  };
}

function means(event: string | null, learnt: Learnt, form: FormName, route: string): AnswerReading {
  if (learnt.hospitalRef !== undefined && !usable(learnt.hospitalRef)) {
    return refused('key-unusable', 'hospitalRef cannot be used as an identifier', route);
  }
  return { kind: 'means', event, learnt, form };
}

function refused(code: 'answer-unmapped' | 'key-unusable', message: string, at: string): AnswerReading {
  return { kind: 'refused', error: new BridgeError(code, message, { at }) };
}

/** Reports types in `asked` that are never asked. */
export function checkAsked(
  compilation: Compilation,
  when: WhenConfig,
  at: At,
  types: ReadonlySet<string> | null,
): void {
  if (types === null || types.size === 0 || when['asked'] === undefined) return;
  for (const { text, at: here } of wantedIn(compilation, when, [...at, 'asked'])) {
    if (!types.has(text))
      reportValue(compilation, here, `${text} is never sent here`, didYouMean(text, types));
  }
}

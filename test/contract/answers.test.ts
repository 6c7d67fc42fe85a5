import assert from 'node:assert/strict';
import type { Answered } from './client.ts';
import { ApiDocument, type Documented } from './document.ts';
import { BEYOND, isSlow, named, provocationOf, sample } from './provocations.ts';
import { Stage, upload } from './stage.ts';

describe('what the OpenAPI document promises', () => {
  let stage: Stage;
  let api: ApiDocument;
  before(async function () {
    this.timeout(60_000);
    stage = await Stage.open();
    api = await ApiDocument.read(stage.main);
    assert.equal((await upload(stage.main, 'thriller.mp3', '?replace=true')).status, 200);
  });
  after(() => stage?.close());

  it('is provoked, every single answer of it', () => {
    const unknown = api.operations.flatMap((operation) =>
      operation.answers
        .filter((answer) => provocationOf(operation, answer) === undefined)
        .map((answer) => `${operation.id} ${answer}`)
        .filter((answer) => !(answer in BEYOND)),
    );
    assert.deepEqual(unknown, [], 'no provocation: add one in provocations.ts, or say in BEYOND why there is none');
    const promised = api.operations.flatMap(({ id, answers }) => answers.map((answer) => `${id} ${answer}`));
    const gone = named().filter((answer) => !promised.includes(answer));
    assert.deepEqual(gone, [], 'in provocations.ts, but not in the document');
  });

  it('comes as it is documented, from every operation', async function () {
    this.timeout(60_000);
    const promised = api.operations.flatMap((operation) => operation.answers.map((answer) => ({ operation, answer })));
    const provoked = promised.filter(({ operation, answer }) => provocationOf(operation, answer) !== undefined);
    const faultOf = async ({ operation, answer }: (typeof promised)[number]) => {
      const answered = await provocationOf(operation, answer)?.(stage, operation);
      return answered && (api.faultOf(operation, answered) ?? otherThan(operation, answer, answered));
    };
    const slow = Promise.all(provoked.filter(({ answer }) => isSlow(answer)).map(faultOf));
    const faults: (string | undefined)[] = [];
    for (const one of provoked) if (!isSlow(one.answer)) faults.push(await faultOf(one));
    assert.deepEqual(
      [...faults, ...(await slow)].filter((fault) => fault !== undefined),
      [],
    );
  });
});

/** What is wrong where another answer came than the one that was to be provoked. */
function otherThan({ id }: Documented, answer: string, { status, text, body }: Answered): string | undefined {
  const [wanted, code] = answer.split(' ');
  const type = String(Object(body).type);
  const isWanted = String(status) === wanted && (code === undefined || type.endsWith(`:${code.replaceAll('_', '-')}`));
  return isWanted ? undefined : `${id}: ${answer} was to be provoked, but it answered ${status} ${text.slice(0, 300)}`;
}

describe('a host that lacks the parts that move the skull', () => {
  const NEEDY =
    /^((get|set)(Health|Mode|Estop)|say|(start|stop|restart)(Service|Tasks)|(play|pause|stop)Song|(list|create|delete)Tasks?|reply|testFullauto|startNextSong)$/;

  it('answers what needs them with a documented 503', async function () {
    this.timeout(60_000);
    const { client, close } = await Stage.bare();
    try {
      const api = await ApiDocument.read(client);
      for (const operation of api.operations) {
        const answered = await client.ask(sample(operation));
        assert.equal(api.faultOf(operation, answered), undefined);
        assert.equal(
          answered.status === 503,
          NEEDY.test(operation.id),
          `${operation.id} ${answered.text.slice(0, 300)}`,
        );
      }
    } finally {
      await close();
    }
  });
});

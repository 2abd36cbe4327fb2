/**
 * Task stores: the same cases for memory and Redis; then what only many processes have, which here are several stores (or
 * whole servers) on one Redis, each with its own name.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { type RedisTaskCommands, RedisTaskStore, type RedisTaskStoreOptions } from '../../ts/server/redis/tasks.js';
import { TaskLimitError } from '../../ts/server/tasks/errors.js';
import { MemoryTaskStore } from '../../ts/server/tasks/memory.js';
import { answering, asking, ending, openedTask, stating, type TaskRecord } from '../../ts/server/tasks/record.js';
import type { TaskStore } from '../../ts/server/tasks/store.js';
import { engineNames } from '../engines.js';
import { hasRedis, redisForAll } from '../redis.js';
import { atEnd, form, gate, type Json, serveTasks, TaskClient, text } from './tasks.stage.js';

const opened = (ttlMs: number | null = 60_000, owner = ''): TaskRecord =>
  openedTask({ owner, ttlMs, pollIntervalMs: 10, statusMessage: undefined });
const done = ending({ status: 'completed', result: { content: [] } });

const redis = redisForAll();
let count = 0;
let prefix = '';
beforeEach(() => {
  count += 1;
  prefix = `test-${count}:`;
});
/** A process of its own, as far as Redis can tell. */
function process(options: Partial<RedisTaskStoreOptions> = {}): RedisTaskStore {
  const store = new RedisTaskStore({ client: redis(), prefix, interval: 5, ...options });
  atEnd(() => store.close().catch(() => undefined));
  return store;
}

const KINDS: [string, boolean, () => TaskStore][] = [
  ['memory', true, () => new MemoryTaskStore()],
  ['redis', hasRedis, () => process()],
];

describe.each(KINDS)('%s', (_, there, make) => {
  test.runIf(there)('keeps a task as it was made, and knows no other', async () => {
    const store = make();
    const task = opened();
    await store.create(task);
    expect(await store.get(task.taskId)).toEqual(task);
    expect(await store.get('another')).toBeUndefined();
    expect(await store.update('another', stating('x'))).toBeUndefined();
    await store.close();
    await store.close();
  });

  test.runIf(there)('takes steps at the same time one after the other: none is lost', async () => {
    const store = make();
    const task = opened();
    await store.create(task);
    const keys = Array.from({ length: 12 }, (_, number) => `key-${number}`);
    await Promise.all(keys.map((key) => store.update(task.taskId, asking({ [key]: { method: 'roots/list' } }))));
    const asked = await store.get(task.taskId);
    expect(Object.keys(asked?.inputRequests ?? {}).sort()).toEqual(keys.sort());
    expect(asked?.version).toBe(13);
    const [first, ...others] = keys as [string, ...string[]];
    await Promise.all([
      ...others.map((key) => store.update(task.taskId, answering({ [key]: { roots: [] } }))),
      store.update(task.taskId, answering({ 'never-asked': {} })),
    ]);
    const left = await store.get(task.taskId);
    expect(Object.keys(left?.inputRequests ?? {})).toEqual([first]);
    expect(Object.keys(left?.inputResponses ?? {})).toHaveLength(11);
  });

  test.runIf(there)('an end is final, however many want to end it', async () => {
    const store = make();
    const task = opened();
    await store.create(task);
    const ends = await Promise.all([
      store.update(task.taskId, done),
      store.update(task.taskId, ending({ status: 'cancelled' })),
      store.update(task.taskId, stating('still working')),
    ]);
    const final = await store.get(task.taskId);
    expect(['completed', 'cancelled']).toContain(final?.status);
    expect(ends.filter((end) => end !== undefined && end.status !== 'working')).toHaveLength(1);
    expect(await store.update(task.taskId, stating('x'))).toBeUndefined();
    expect(await store.get(task.taskId)).toEqual(final);
  });

  test.runIf(there)('forgets a task when its time is over, not before, and never without one', async () => {
    const store = make();
    const [brief, lasting] = [opened(30), opened(null)];
    await store.create(brief);
    await store.create(lasting);
    expect((await store.update(brief.taskId, stating('x')))?.ttlMs).toBe(30);
    while ((await store.get(brief.taskId)) !== undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await store.update(brief.taskId, stating('x'))).toBeUndefined();
    expect(await store.get(lasting.taskId)).toEqual(lasting);
  });

  test.runIf(there)('tells those who watch a task, until they stop', async () => {
    const store = make();
    const [task, other] = [opened(), opened()];
    await store.create(task);
    await store.create(other);
    const told: string[] = [];
    const end = store.watch(task.taskId, ({ statusMessage }) => told.push(String(statusMessage)));
    await store.update(task.taskId, stating('one'));
    await store.update(other.taskId, stating('of another'));
    await store.update(task.taskId, stating('two'));
    end();
    end();
    await store.update(task.taskId, stating('three'));
    expect(told).toEqual(['one', 'two']);
  });
});

test('memory: full of running tasks it takes no more; what is over or expired makes room', async () => {
  const store = new MemoryTaskStore({ maxTasks: 2 });
  const [one, two] = [opened(), opened(1)];
  await store.create(one);
  await store.create(two);
  while ((await store.get(two.taskId)) !== undefined) await new Promise((resolve) => setTimeout(resolve, 2));
  await store.create(opened());
  await expect(store.create(opened())).rejects.toThrow(TaskLimitError);
  await store.update(one.taskId, done);
  await store.create(opened());
  expect(store.size).toBe(2);
  expect(await store.get(one.taskId)).toBeUndefined();
});

describe.runIf(hasRedis)('several processes on one Redis', () => {
  const seen = (store: TaskStore, taskId: string, wanted: (task: TaskRecord) => boolean): Promise<TaskRecord> =>
    new Promise((resolve) => {
      const end = store.watch(taskId, (task) => {
        if (!wanted(task)) return;
        end();
        resolve(task);
      });
    });

  test('a change that one makes is told in the others', async () => {
    const [one, two] = [process(), process()];
    const task = opened();
    await one.create(task);
    expect(await two.get(task.taskId)).toEqual(task);
    const there = seen(two, task.taskId, ({ statusMessage }) => statusMessage === 'from one');
    const here = seen(one, task.taskId, ({ status }) => status === 'cancelled');
    await one.update(task.taskId, stating('from one'));
    await there;
    await two.update(task.taskId, ending({ status: 'cancelled' }));
    expect((await here).status).toBe('cancelled');
  });

  test('what was changed while Redis was away, or too fast to be followed, is found out', async () => {
    let away = false;
    const missed = gate();
    const real = redis();
    const client: RedisTaskCommands = {
      sendCommand: async (command) => {
        if (!away) return real.sendCommand(command);
        missed.open();
        throw new Error('away');
      },
    };
    const [one, two] = [process({ client }), process()];
    const task = opened();
    await two.create(task);
    const first = seen(one, task.taskId, ({ statusMessage }) => statusMessage === 'first');
    await two.update(task.taskId, stating('first'));
    await first;
    const last = seen(one, task.taskId, ({ statusMessage }) => statusMessage === 'last');
    away = true;
    await two.update(task.taskId, stating('last'));
    await real.sendCommand(['DEL', `${prefix}changes`]);
    await missed.passed;
    away = false;
    await last;
  });

  test('a process that dies leaves its tasks failed, for those who ask and for those who listen', async () => {
    let dead = false;
    let beats = 0;
    const lives = gate();
    const real = redis();
    const client: RedisTaskCommands = {
      sendCommand: (command) => {
        if (command[1]?.includes(':pulse:') && ++beats === 4) lives.open();
        return dead ? new Promise(() => {}) : real.sendCommand(command);
      },
    };
    const deadAfter = 1000;
    const [dying, living, listening] = [process({ client, deadAfter }), process({ deadAfter }), process({ deadAfter })];
    // Before the store is closed.
    atEnd(() => {
      dead = false;
    });
    const [task, over] = [opened(), opened()];
    await dying.create(task);
    await dying.create(over);
    await dying.update(over.taskId, done);
    dying.watch(task.taskId, () => {});
    const told = seen(listening, task.taskId, ({ status }) => status === 'failed');
    // While it looks for changes it lives, however long that is.
    await lives.passed;
    expect((await living.get(task.taskId))?.status).toBe('working');
    dead = true;
    expect(await told).toMatchObject({ error: { code: -32603 }, statusMessage: expect.stringContaining('gone') });
    expect((await living.get(task.taskId))?.status).toBe('failed');
    expect((await living.get(over.taskId))?.status).toBe('completed');
  });

  test('bad options are told', () => {
    expect(() => new RedisTaskStore({ client: {} as never })).toThrow('client');
    expect(() => process({ interval: 0 })).toThrow('interval');
    expect(() => process({ interval: 100, deadAfter: 100 })).toThrow('deadAfter');
  });

  describe.each(engineNames)('%s engine', (engine) => {
    /** Two servers with the same tools, whose tasks one of them runs. */
    async function two(equip: Parameters<typeof serveTasks>[1], first: Partial<RedisTaskStoreOptions> = {}) {
      const one = await serveTasks(engine, equip, { store: process(first) });
      const other = await serveTasks(engine, equip, { store: process(first) });
      return { here: new TaskClient(one.url), there: new TaskClient(other.url), one, other };
    }

    test('a task that one server runs is asked for, answered and cancelled through the other', async () => {
      const stopped = gate();
      const { here, there, one, other } = await two((server, tasks) => {
        server.registerTool('work', {}, (ctx) =>
          tasks.start(ctx, async (task) => {
            const answer = await task.elicit(form({ name: { type: 'string' } }), { key: 'name' });
            await task.setStatus(`Hello, ${answer.content?.name}`);
            await new Promise((resolve) => task.signal.addEventListener('abort', resolve));
            stopped.open();
            return text('');
          }),
        );
      });
      const taskId = await here.begin('work');
      expect([one.tasks.running, other.tasks.running]).toEqual([1, 0]);
      const messages = await there.listen({ taskIds: [taskId] });
      const statuses = (async () => {
        const told: Json[] = [];
        for await (const { method, params } of messages) {
          if (method !== 'notifications/tasks') continue;
          told.push(params.statusMessage);
          if (params.status === 'cancelled') return told;
        }
        return told;
      })();
      const asked = await there.until(taskId, 'input_required');
      expect(Object.keys(asked.inputRequests)).toEqual(['name']);
      const inputResponses = { name: { action: 'accept', content: { name: 'Ann' } } };
      await there.ask('tasks/update', { taskId, inputResponses });
      await there.until(taskId, (task) => task.statusMessage === 'Hello, Ann');
      await there.ask('tasks/cancel', { taskId });
      await stopped.passed;
      expect((await here.get(taskId)).status).toBe('cancelled');
      expect((await statuses).at(-1)).toBe('The client cancelled the task');
      messages.end();
    });

    test('the end of a task is written down when Redis is back', async () => {
      let away = false;
      const real = redis();
      const client: RedisTaskCommands = {
        sendCommand: async (command) => {
          if (away) throw new Error('away');
          return real.sendCommand(command);
        },
      };
      const work = gate();
      const failed = gate();
      const store = process({ client });
      const { url } = await serveTasks(
        engine,
        (server, tasks) => {
          server.registerTool('work', {}, (ctx) =>
            tasks.start(ctx, async () => {
              await work.passed;
              return text('kept');
            }),
          );
        },
        { store, onerror: () => failed.open() },
      );
      const taskId = await new TaskClient(url).begin('work');
      away = true;
      work.open();
      await failed.passed;
      away = false;
      expect((await new TaskClient(url).until(taskId, 'completed')).result).toEqual(text('kept'));
    });
  });
});

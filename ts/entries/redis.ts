/**
 * `thirdrail/server/redis`: stores for servers of several processes. They take a client that the caller has connected. Lists
 * names, holds no code.
 */
export { type RedisEventCommands, RedisEventStore, type RedisEventStoreOptions } from '../server/redis/events.js';
export { type RedisTaskCommands, RedisTaskStore, type RedisTaskStoreOptions } from '../server/redis/tasks.js';

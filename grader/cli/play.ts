import path from 'node:path'
import { Command } from 'commander'
import { execa } from 'execa'
import { findExercise } from '#catalog/exercise.ts'
import type { Lang } from '#catalog/text.ts'
import { acquire, type RedisEndpoint } from '#services/services.ts'

/** `play 6`: the exercise's scratch program on live services, which it finds in REDIS_URL and KAFKA_BROKERS. */
export function playCommand(lang: Lang): Command {
  const say = (en: string, vi: string) => ({ en, vi })[lang]
  return new Command('play')
    .description(say('run the scratch program of an exercise on live services', 'chạy chương trình nháp của bài tập trên dịch vụ thật'))
    .argument('<name>', say('its number, name, or the beginning of its name', 'số thứ tự, tên, hoặc phần đầu của tên'))
    .action(async (name: string) => {
      const { dir, services } = findExercise(name)
      const lease = await acquire(
        { redis: services.includes('redis') ? 1 : 0, kafka: services.includes('kafka') },
        { onProgress: (message) => process.stderr.write(`${message[lang]}\n`) },
      )
      try {
        const [redis] = lease.redis
        // tsx takes every syntax that tsc takes; Node alone would refuse enums and parameter properties.
        const { exitCode } = await execa('tsx', [path.join(dir, 'play.ts')], {
          stdio: 'inherit', reject: false, preferLocal: true, localDir: import.meta.dirname,
          env: {
            // kafkajs computes a timeout that lies in the past; harmless, and not the learner's doing.
            NODE_OPTIONS: '--disable-warning=TimeoutNegativeWarning',
            ...(redis && { REDIS_URL: urlOf(redis) }), ...(lease.kafka && { KAFKA_BROKERS: lease.kafka.brokers.join(',') }),
          },
        })
        process.exitCode = exitCode === 0 ? 0 : 1
      } finally {
        await lease.release()
      }
    })
}

/** As ioredis reads it, a unix socket's path included: https://github.com/redis/ioredis#connect-to-redis */
function urlOf({ address, database, admin: { username, password } }: RedisEndpoint): string {
  if ('path' in address) {
    const query = new URLSearchParams({ db: String(database), ...(username && { username }), ...(password && { password }) })
    return `${address.path}?${query}`
  }
  const login = password === null ? '' : `${encodeURIComponent(username ?? '')}:${encodeURIComponent(password)}@`
  return `redis://${login}${address.host}:${address.port}/${database}`
}

import type { Redis } from 'ioredis'
import type { Command } from '#wire/redis-wire.ts'

/** What leaves nothing behind is not repeated. */
const WITHOUT_TRACE = new Set(['MULTI', 'EXEC', 'PUBLISH'])

/**
 * Has the server repeat what one call has sent, once for every number from `model` + 1 to `last`, with the digits of
 * `model` exchanged: a hundred times as fast as as many calls. Whether such copies count is for the caller to see: what
 * cannot be repeated is passed over, and so is what the server has refused (EVALSHA of a script it does not know).
 */
export async function copyCommands(redis: Redis, commands: readonly Command[], model: number, last: number): Promise<void> {
  const frames = commands
    .filter(({ name, reply }) => !WITHOUT_TRACE.has(name) && reply?.type !== 'error')
    .map(({ words }) => words)
  // A script cannot run another one.
  if (frames.some(([name]) => /^(EVAL|FCALL)/i.test(String(name)))) await oneByOne(redis, frames, model, last)
  else await redis.eval(COPY, 0, model, last, ...frames.flatMap((words) => [words.length, ...words])).catch(() => {})
}

/** ARGV[1] the model's digits · ARGV[2] the last ones · ARGV[3…] the commands of one call: how many words, and the words */
const COPY = `
  for id = ARGV[1] + 1, ARGV[2] do
    local digits = string.format('%d', id)
    local at = 3
    while at <= #ARGV do
      local words = {}
      for i = 1, tonumber(ARGV[at]) do words[i] = string.gsub(ARGV[at + i], ARGV[1], digits) end
      redis.call(unpack(words))
      at = at + ARGV[at] + 1
    end
  end
`

async function oneByOne(redis: Redis, frames: readonly (readonly Buffer[])[], model: number, last: number): Promise<void> {
  const commands: unknown[][] = []
  // A word may hold bytes that are no text: as Latin-1 each is one letter, there and back.
  const renumbered = (word: Buffer, id: number): Buffer => Buffer.from(word.toString('latin1').replaceAll(String(model), String(id)), 'latin1')
  for (let id = model + 1; id <= last; id++) {
    // By call(): as a method of a pipeline a command has its name in lower case only, and learner code may send another.
    for (const [name, ...words] of frames) commands.push(['call', String(name), ...words.map((word) => renumbered(word, id))])
  }
  await redis.pipeline(commands).exec()
}

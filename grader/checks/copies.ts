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
    .map(({ words }) => words.map((word) => word.toString('latin1')))
  // A script cannot run another one.
  if (frames.some(([name]) => /^(EVAL|FCALL)/i.test(name!))) await oneByOne(redis, frames, model, last)
  else await redis.eval(COPY, 0, model, last, JSON.stringify(frames)).catch(() => {})
}

/** ARGV[1] the model's digits · ARGV[2] the last ones · ARGV[3] the commands of one call, as JSON */
const COPY = `
  local frames = cjson.decode(ARGV[3])
  for id = ARGV[1] + 1, ARGV[2] do
    local digits = string.format('%d', id)
    for _, frame in ipairs(frames) do
      local words = {}
      for i, word in ipairs(frame) do words[i] = string.gsub(word, ARGV[1], digits) end
      redis.call(unpack(words))
    end
  end
`

async function oneByOne(redis: Redis, frames: readonly string[][], model: number, last: number): Promise<void> {
  const commands: string[][] = []
  for (let id = model + 1; id <= last; id++) {
    // By call(): as a method of a pipeline a command has its name in lower case only, and learner code may send another.
    for (const frame of frames) commands.push(['call', ...frame.map((word) => word.replaceAll(String(model), String(id)))])
  }
  await redis.pipeline(commands).exec()
}

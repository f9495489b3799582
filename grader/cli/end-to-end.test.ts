/** What people type, through npm, on real services; what they read, and the exit code. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { listExercises } from '#catalog/exercise.ts'
import { skills } from '#catalog/skills.ts'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { reportSchema, reportsSchema } from '#report/schema.ts'
import { withOwnKeeper } from '#services/own-keeper.ts'
import { status } from '#services/services.ts'

withOwnKeeper()

const kit = path.join(import.meta.dirname, '..', '..')
const SIX = 'solutions/06-sliding-window-limiter'
const plain = { NO_COLOR: '1', LANG: 'en_US.UTF-8', LC_ALL: '', LC_MESSAGES: '', FORCE_COLOR: undefined }

const npm = (...args: string[]) => execa('npm', ['run', '--silent', ...args], { cwd: kit, reject: false, env: plain, timeout: 590_000 })
const graded = async (...args: string[]) => {
  const { stdout, exitCode } = await npm('grade', '--', ...args, '--json')
  return { report: reportSchema.parse(JSON.parse(stdout)), exitCode }
}

beforeAll(() => {
  // A learner's own work in this copy of the kit is none of the tests' business: they grade files by name.
  expect(fs.existsSync(path.join(kit, SIX, 'solution.ts'))).toBe(true)
})

test('the tutorial’s limiter reaches Beginner, and the screen shows two of its own calls that admit one too many', async () => {
  const { stdout, exitCode } = await npm('exercise', '6', '--', '--tutorial')
  expect(exitCode).toBe(1)
  expect(stdout).toContain('Level reached: beginner')
  expect(stdout).toContain('Two calls at once were both admitted with a limit of 1: one too many.')
  const timeline = stdout.slice(stdout.indexOf('call A'))
  expect(timeline).toMatch(/ZCARD rate_limit:ann +→ 0[\s\S]*ZCARD rate_limit:ann +→ 0[\s\S]*⇒ true +⇒ true/)
})

test('flags reach us without npm’s own dashes', async () => {
  const { stdout, exitCode } = await npm('exercise', '6', '--tutorial')
  expect([exitCode, stdout.includes('Level reached: beginner')]).toEqual([1, true])
})

test('every solution scores 100 and reaches Advanced; every skill is shown', async () => {
  const { report, exitCode } = await graded('--solutions')
  expect(report.exercises.flatMap(({ slug, checks }) => checks.filter(({ verdict }) => verdict !== 'pass').map(({ id, message }) => [slug, id, message]))).toEqual([])
  expect(report.exercises.map(({ number, score, level }) => [number, score, level])).toEqual(listExercises().map(({ number }) => [number, 100, 'advanced']))
  expect(new Set(Object.values(report.skills))).toEqual(new Set(['shown']))
  expect(Object.keys(report.skills).sort()).toEqual([...skills.keys()].sort())
  expect([report.courseLevel, report.total.score, exitCode]).toEqual([{ redis: 'advanced', kafka: 'advanced' }, 100, 0])
}, 300_000)

test('an untouched kit gets 0 points, and not one failure is listed', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'learner-'))
  onTestFinished(() => fs.rmSync(folder, { recursive: true }))
  for (const { slug } of listExercises()) {
    fs.mkdirSync(path.join(folder, slug))
    fs.copyFileSync(path.join(kit, 'exercises', slug, 'exercise.ts'), path.join(folder, slug, 'exercise.ts'))
  }
  const { report, exitCode } = await graded('--submission', folder)
  expect(new Set(report.exercises.map(({ state, score, checks }) => `${state} ${score} ${checks.length}`))).toEqual(new Set(['untouched 0 0']))
  expect([report.total.score, report.courseLevel, exitCode]).toEqual([0, { redis: 'none', kafka: 'none' }, 1])
}, 120_000)

test('an untouched stub gets 0 points and is told what to do', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'learner-'))
  onTestFinished(() => fs.rmSync(folder, { recursive: true }))
  const stub = fs.readFileSync(path.join(kit, 'exercises/06-sliding-window-limiter/exercise.ts'), 'utf8')
  fs.writeFileSync(path.join(folder, 'exercise.ts'), stub)
  const { stdout, exitCode } = await npm('exercise', '6', '--', '--submission', folder)
  expect(stdout).toContain('Untouched')
  expect(stdout).toContain('0 points')
  expect(exitCode).toBe(1)
})

test('one bad submission does not spoil the next', async () => {
  const hostile = ['loops-for-ever', 'exits', 'floods-stdout', 'allocates', 'kills-its-parent', 'shuts-redis-down', 'looks-like-a-matcher', 'reads-the-suite', 'nested-answer', 'floods-the-pipe']
  const paths = [...hostile.map((name) => `fixtures/hostile/${name}.ts`), 'fixtures/hostile/forges-answers.ts', 'no/such/file.ts', `${SIX}/solution.ts`]
  const { stdout, exitCode } = await npm('grade', '--', '6', ...paths.flatMap((file) => ['--submission', file]), '--json')
  expect(exitCode).toBe(1)
  const { reports } = reportsSchema.parse(JSON.parse(stdout))
  expect(reports.map(({ submission }) => submission)).toEqual(paths)
  const marks = reports.map(({ exercises: [exercise] }) => [exercise!.state, exercise!.level])
  expect(marks.slice(0, hostile.length)).toEqual(hostile.map(() => ['graded', 'none']))
  expect(marks.slice(hostile.length)).toEqual([['broken', 'none'], ['broken', 'none'], ['graded', 'advanced']])
  expect(reports.at(-1)!.exercises[0]!.score).toBe(100)
  expect(stdout).not.toContain('#checks')
}, 600_000)

test('an error of the learner’s points at the line of their TypeScript', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'learner-'))
  onTestFinished(() => fs.rmSync(folder, { recursive: true }))
  const lines = fs.readFileSync(path.join(kit, SIX, 'solution.ts'), 'utf8').split('\n')
  const at = lines.findIndex((line) => line.includes("async isAllowed(userId: string)")) + 1
  lines.splice(at, 0, "    if (userId === 'ann') throw new Error('on purpose')")
  fs.writeFileSync(path.join(folder, 'exercise.ts'), lines.join('\n'))
  const { report } = await graded('6', '--submission', folder)
  const failed = report.exercises[0]!.checks.find(({ id }) => id === 'admits-up-to-the-limit')!
  expect(failed.message).toContain('on purpose')
  expect(failed.evidence!.stack[0]).toMatch(new RegExp(`^exercise\\.ts:${at + 1}:\\d+ in`))
})

test('a file that does not parse is broken, with the place as the compiler shows it', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'learner-'))
  onTestFinished(() => fs.rmSync(folder, { recursive: true }))
  fs.writeFileSync(path.join(folder, 'exercise.ts'), 'export class RateLimiter {\n  constructor( {\n}\n')
  const { report, exitCode } = await graded('6', '--submission', folder)
  expect([report.exercises[0]!.state, report.exercises[0]!.score, exitCode]).toEqual(['broken', 0, 1])
  expect(report.exercises[0]!.message).toMatch(/exercise\.ts:\d+:\d+/)
})

test.each([
  [['exercise', 'sliding-windw-limiter'], /Did you mean 06-sliding-window-limiter/],
  [['exercise', '6', '--', '--tutorail'], /--tutorial/],
  [['grade', '--', '6', '--submission', 'no/such/file.ts'], /no\/such\/file\.ts/],
])('npm run %j is refused with the next thing to type, exit 2', async (args, message) => {
  const { stderr, exitCode } = await npm(...args)
  expect(exitCode).toBe(2)
  expect(stderr).toMatch(message)
  expect(stderr).not.toMatch(/\n\s+at /)
})

test('Ctrl-C reports what was graded by then, exit 3, and leaves nothing at work', async () => {
  const submissions = ['fixtures/static/syntax-error.ts', 'fixtures/hostile/never-settles.ts'].flatMap((file) => ['--submission', file])
  // Without npm, which tells its own end by the signal instead of our exit code.
  const command = execa(process.execPath, ['grader/cli/main.mjs', 'grade', '6', ...submissions, '--json'], { cwd: kit, reject: false, env: plain })
  const inUse = async (): Promise<number> => (await status()).keeper?.redis.filter(({ leased }) => leased).length ?? 0
  await expect.poll(inUse, { timeout: 30_000 }).toBeGreaterThan(0)
  command.kill('SIGINT')
  const { stdout, exitCode } = await command
  const { reports } = reportsSchema.parse(JSON.parse(stdout))
  expect([reports.map(({ exercises: [exercise] }) => exercise!.state), exitCode]).toEqual([['broken', 'not-graded'], 3])
  await expect.poll(inUse, { timeout: 10_000 }).toBe(0)
}, 120_000)

test('without services nothing is graded, exit 3', async () => {
  const { stderr, stdout, exitCode } = await execa('npm', ['run', '--silent', 'exercise', '6', '--', '--solution', '--services', 'external'], {
    cwd: kit, reject: false, env: { ...plain, REDIS_URL: 'redis://127.0.0.1:1' },
  })
  expect([exitCode, stdout]).toEqual([3, ''])
  expect(stderr).toMatch(/127\.0\.0\.1:1/)
})

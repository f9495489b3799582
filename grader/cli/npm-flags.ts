import { CommandError } from '#catalog/command-error.ts'

/** The flags of `exercise` and `grade`; a value is what must follow the flag. */
export const flags = {
  json: 'boolean',
  submission: 'value',
  solution: 'boolean',
  solutions: 'boolean',
  tutorial: 'boolean',
  hint: 'boolean',
  lang: 'value',
  services: 'value',
} as const

/**
 * Without `--` in between, npm keeps the flags for itself and hands them on as
 * environment variables: `npm run exercise 6 --tutorial` arrives as `6` and
 * npm_config_tutorial=true. Returns them as arguments; those already in `args` win.
 */
export function flagsKeptByNpm(args: readonly string[], env: NodeJS.ProcessEnv = process.env): string[] {
  // Variables of an outer npm that runs something else are none of ours.
  if (env.npm_lifecycle_event !== args[0]) return []
  return Object.entries(flags).flatMap(([name, kind]) => {
    const value = name === 'lang' ? languageKeptByNpm(args, env) : env[`npm_config_${name}`]
    const given = args.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`))
    if (given || !value || value === 'false') return []
    if (kind === 'boolean') return [`--${name}`]
    if (value === 'true') throw valueLost(name, args[0]!)
    return [`--${name}=${value}`]
  })
}

/**
 * npm reads `--lang vi` as its own -l -a -n -g and leaves the value among the
 * arguments. Those three together are nothing anybody gives `npm run` on purpose.
 */
function languageKeptByNpm(args: readonly string[], env: NodeJS.ProcessEnv): string | undefined {
  return isSpelledOut(env) ? args.find(isLanguage) : undefined
}

/** The arguments without the language that npm left among them. */
export function withoutStrayLanguage(args: readonly string[], env: NodeJS.ProcessEnv = process.env): string[] {
  const stray = env.npm_lifecycle_event === args[0] && isSpelledOut(env) ? args.find(isLanguage) : undefined
  return args.filter((arg) => arg !== stray)
}

function isSpelledOut(env: NodeJS.ProcessEnv): boolean {
  return [env.npm_config_long, env.npm_config_all, env.npm_config_global].every((value) => value === 'true')
}

function isLanguage(arg: string): boolean {
  return arg === 'en' || arg === 'vi'
}

/** The folder a relative path starts at: where the person stands, although npm changes to the package's folder. */
export function startFolder(env: NodeJS.ProcessEnv = process.env): string {
  return (env.npm_lifecycle_event && env.INIT_CWD) || process.cwd()
}

function valueLost(name: string, command: string): CommandError {
  const [before, after] = [`npm run ${command} 6 -- --${name} …`, `npm run ${command} 6 --${name}=…`]
  return new CommandError({
    en: `npm kept --${name} and lost its value. Write: ${before}   or: ${after}`,
    vi: `npm đã giữ cờ --${name} và làm mất giá trị của nó. Hãy viết: ${before}   hoặc: ${after}`,
  })
}

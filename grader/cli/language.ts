import type { Lang, Text } from '#catalog/text.ts'

/** The language of the person's system, as far as the kit speaks it. */
export function systemLanguage({ LC_ALL, LC_MESSAGES, LANG }: NodeJS.ProcessEnv = process.env): Lang {
  return (LC_ALL || LC_MESSAGES || LANG || '').startsWith('vi') ? 'vi' : 'en'
}

/** The language asked for on the command line, before the rest of it is understood. */
export function languageOf(args: readonly string[]): Lang {
  const at = args.findIndex((arg) => arg === '--lang' || arg.startsWith('--lang='))
  const value = at < 0 ? undefined : args[at]!.includes('=') ? args[at]!.slice('--lang='.length) : args[at + 1]
  return value === 'en' || value === 'vi' ? value : systemLanguage()
}

/** A sentence on stderr: stdout belongs to reports. */
export function say(text: Text, lang: Lang): void {
  process.stderr.write(`${text[lang]}\n`)
}

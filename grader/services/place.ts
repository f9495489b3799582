import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, statfsSync, statSync } from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { Obstacle } from './unavailable.ts'

const kitRoot = realpathSync(join(import.meta.dirname, '..', '..'))

/**
 * The private folder of this user's running services, one per copy of the kit.
 * KIT_RUNTIME_DIR puts it elsewhere, with all data of the services.
 * The path stays short because a Unix socket's may have 104 bytes at most.
 */
export function runtimeDir(): string {
  if (process.env.KIT_RUNTIME_DIR) return privateDir(process.env.KIT_RUNTIME_DIR)
  return ownDirIn(tmpdir())
}

/** The private folder for Kafka's data: in memory where there is room, else in the runtime folder. */
export function dataDir(): string {
  const memory = process.env.KIT_RUNTIME_DIR ? null : memoryDisk()
  return memory ? ownDirIn(memory) : runtimeDir()
}

/** Every folder in which services of this copy may have left something, whichever disk had room at the time. */
export function servicesDirs(): string[] {
  const inMemory = ownPathIn(MEMORY_DISK)
  return process.env.KIT_RUNTIME_DIR || !existsSync(inMemory) ? [runtimeDir()] : [runtimeDir(), privateDir(inMemory)]
}

/**
 * Linux's disk in memory, if it has room; else null. Making and deleting files, of which a topic has six, costs next to
 * nothing there; an ext4 that has just deleted hundreds of them spends milliseconds looking for the next free inode.
 */
export function memoryDisk(): string | null {
  try {
    const { type, bavail, bsize } = statfsSync(MEMORY_DISK)
    return type === TMPFS && bavail * bsize >= ROOM ? MEMORY_DISK : null
  } catch {
    return null
  }
}

const MEMORY_DISK = '/dev/shm'
/** https://man7.org/linux/man-pages/man2/statfs.2.html */
const TMPFS = 0x01021994
const ROOM = 1 << 30

function ownDirIn(disk: string): string {
  const own = ownPathIn(disk)
  privateDir(dirname(own))
  return privateDir(own)
}

const ownPathIn = (disk: string): string => join(disk, `redis-kafka-kit-${userInfo().uid}`, hash(kitRoot))

/** Downloads and what is made from them, shared by all copies of the kit. */
export function cacheDir(): string {
  const dir = cachePath()
  try {
    mkdirSync(dir, { recursive: true })
    return dir
  } catch (error) {
    throw unwritable(dir, error)
  }
}

/** Where Node keeps the kit's own code compiled; it does without, should that be impossible. */
export const codeCache = (): string => join(cachePath(), 'code')

const cachePath = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'redis-kafka-kit')

/** A cache folder that cannot be made, or cannot be written to. */
export function unwritable(dir: string, error: unknown): Obstacle {
  const { code } = error as NodeJS.ErrnoException
  return new Obstacle(
    {
      en: `nothing can be written to the cache folder ${dir} (${code})`,
      vi: `không ghi được vào thư mục cache ${dir} (${code})`,
    },
    'XDG_CACHE_HOME=$PWD/.kit/cache npm run services up',
  )
}

/** Changes whenever a file of the services changes: a keeper started from older files is replaced. */
export function fingerprint(): string {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|xml|properties)$/.test(name) && !name.endsWith('.test.ts'))
    .sort()
  return hash(files.map((name) => {
    const { size, mtimeMs } = statSync(join(import.meta.dirname, name))
    return `${name} ${size} ${mtimeMs}`
  }).join('\n'))
}

export function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 10)
}

/** /tmp is everybody's: a folder that somebody else made in our name must not receive our sockets. */
function privateDir(dir: string): string {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const { mode, uid } = lstatSync(dir)
  const isOurs = uid === userInfo().uid && (mode & 0o077) === 0 && lstatSync(dir).isDirectory()
  if (isOurs) return dir
  throw new Obstacle(
    {
      en: `the folder ${dir} is not private to you, so no service may put its socket there`,
      vi: `thư mục ${dir} không phải của riêng bạn nên không thể đặt socket của dịch vụ vào đó`,
    },
    `chmod 700 ${dir}`,
  )
}

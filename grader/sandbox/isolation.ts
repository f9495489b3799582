import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import type { Isolation } from '../grade.types.ts'

/** Folders as a host sees them. */
export interface Inside {
  readonly program: string
  readonly submission: string
  readonly wires: string
}

export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly inside: Inside
  /** True when the child's pid arrives as JSON on fd 4. */
  readonly tellsPid: boolean
}

/** What a host is made of. */
export interface Folders {
  /** What `image.ts` built. */
  readonly image: string
  /** Where packages are found when the disk is not hidden: a link to those of `image`, above `submission`. */
  readonly packages: string
  /** Holds the bundled submission; empty when the host starts. */
  readonly submission: string
  /** The unix sockets of this host's wires; nobody else's. */
  readonly wires: string
}

const MAX_HEAP_MB = 128

/**
 * Room for what lives shortly, all of it from the start, since growing into it costs collections. Not more: a host does
 * little, and memory it has never touched costs more than to collect what it has, most of all on virtual machines.
 */
const YOUNG_MB = 2

/**
 * A snapshot of the heap is only read under the flags it was made with. It is the kit's own file, so nobody checks its
 * sum, and its hash tables keep the seed they have: that takes a third off a start, and whoever floods them floods himself.
 */
export const heapFlags: readonly string[] = [
  `--max-old-space-size=${MAX_HEAP_MB}`, `--min-semi-space-size=${YOUNG_MB}`, `--max-semi-space-size=${YOUNG_MB}`, '--stack-trace-limit=20', '--max-opt=1', '--no-rehash-snapshot', '--no-verify-snapshot-checksum',
]

/**
 * The environment of a host. Its clock is set far from UTC: local time taken for UTC is seen. A start reads the snapshot
 * into fresh memory, which costs less in a few huge pages than in thousands of small ones:
 * https://sourceware.org/glibc/manual/latest/html_node/Memory-Allocation-Tunables.html
 */
export const environment: Readonly<Record<string, string>> = {
  TZ: 'Asia/Kathmandu', NODE_ENV: 'production',
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1:glibc.malloc.mmap_threshold=67108864:glibc.malloc.top_pad=33554432',
}

const HUGE_PAGES = '/sys/kernel/mm/transparent_hugepage'

let strongest: Isolation | undefined

/** The strongest isolation this machine offers. */
export function isolation(): Isolation {
  return (strongest ??= bubblewrapWorks() ? 'bubblewrap' : 'permissions')
}

function bubblewrapWorks(): boolean {
  if (process.platform !== 'linux') return false
  try {
    execFileSync('bwrap', ['--unshare-all', '--ro-bind', '/', '/', 'true'], { stdio: 'ignore', timeout: 5000 })
    return true
  } catch {
    return false
  }
}

export function launch(kind: Isolation, folders: Folders): Launch {
  return kind === 'bubblewrap' ? underBubblewrap(folders) : underPermissions(folders)
}

function underBubblewrap(folders: Folders): Launch {
  const node = fs.realpathSync(process.execPath)
  const inside = { program: '/kit', submission: '/kit/submission', wires: '/kit/wires' }
  const args = [
    '--die-with-parent', '--unshare-all', '--as-pid-1', '--info-fd', '4',
    '--ro-bind', '/usr', '/usr', '--symlink', 'usr/lib', '/lib', '--symlink', 'usr/lib64', '/lib64', '--symlink', 'usr/bin', '/bin',
    '--ro-bind', path.dirname(node), '/node', '--proc', '/proc', '--dev', '/dev',
    // The C library looks here before it uses huge pages.
    '--ro-bind-try', HUGE_PAGES, HUGE_PAGES,
    '--size', String(16 << 20), '--tmpfs', '/tmp',
    '--ro-bind', folders.image, '/kit', '--ro-bind', folders.submission, inside.submission, '--ro-bind', folders.wires, inside.wires,
    '--remount-ro', '/', '--chdir', inside.submission,
    '--', `/node/${path.basename(node)}`, ...nodeFlags(['/kit'], ['/tmp']), ...program(folders.image, inside.program),
  ]
  return { command: 'bwrap', args, inside, tellsPid: true }
}

function underPermissions(folders: Folders): Launch {
  const inside = { program: folders.image, submission: folders.submission, wires: folders.wires }
  const readable = [folders.image, folders.submission, folders.wires].map((folder) => fs.realpathSync(folder))
  // The link itself, as Node comes to it before it follows it.
  readable.push(path.join(fs.realpathSync(path.dirname(folders.packages)), path.basename(folders.packages)))
  return { command: process.execPath, args: [...nodeFlags(readable, []), ...program(folders.image, inside.program)], inside, tellsPid: false }
}

function program(image: string, asSeenInside: string): string[] {
  const snapshot = fs.existsSync(path.join(image, 'host.blob')) ? ['--snapshot-blob', `${asSeenInside}/host.blob`] : []
  return [...snapshot, `${asSeenInside}/host.cjs`]
}

function nodeFlags(readable: readonly string[], writable: readonly string[]): string[] {
  return [
    '--permission', '--allow-net',
    ...readable.map((folder) => `--allow-fs-read=${folder}`),
    ...writable.map((folder) => `--allow-fs-write=${folder}`),
    '--no-experimental-sqlite', '--disable-sigusr1', '--no-warnings', ...heapFlags,
  ]
}

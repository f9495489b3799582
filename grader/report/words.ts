import type { Criterion, Level } from '#catalog/levels.ts'
import type { Text } from '#catalog/text.ts'

/** Every sentence of the terminal's own. Sentences with gaps are functions. */
export const words = {
  exercise: (number: number, title: Text): Text => ({
    en: `Exercise ${number} · ${title.en}`,
    vi: `Bài ${number} · ${title.vi}`,
  }),
  levelReached: { en: 'Level reached', vi: 'Cấp độ đạt được' },
  score: { en: 'Score', vi: 'Điểm' },
  ofCriterion: (points: string, name: Text): Text => ({
    en: `${points} points, ${name.en}`,
    vi: `${points} điểm, ${name.vi}`,
  }),
  failing: { en: 'Not kept yet', vi: 'Chưa đạt' },
  skipped: { en: 'Skipped', vi: 'Bỏ qua' },
  inconclusive: { en: 'Not concluded', vi: 'Chưa kết luận' },
  passing: { en: 'Passing', vi: 'Đạt' },
  tidiness: { en: 'tidiness', vi: 'mã và tài liệu' },
  ofMany: (some: number, all: number): Text => ({ en: `${some}/${all}`, vi: `${some}/${all}` }),
  did: { en: 'the check', vi: 'kiểm tra' },
  expected: { en: 'expected', vi: 'mong đợi' },
  got: { en: 'got', vi: 'nhận được' },
  atStack: { en: 'at', vi: 'tại' },
  moreDiagnostics: (count: number): Text => ({ en: `… and ${count} more`, vi: `… và ${count} chỗ nữa` }),
  moreEvidence: {
    en: 'The evidence of the others appears as the first ones are solved, or with --json.',
    vi: 'Bằng chứng của các mục còn lại sẽ hiện dần khi các mục đầu đã đạt, hoặc xem bằng --json.',
  },
  checks: (count: number): Text => ({ en: `${count} checks`, vi: `${count} mục kiểm tra` }),
  waitsFor: (id: string): Text => ({ en: `waits for ${id}`, vi: `chờ mục ${id}` }),
  next: { en: 'Next', vi: 'Bước tiếp theo' },
  frequentMistake: { en: 'A frequent cause', vi: 'Lỗi thường gặp' },
  hintCommand: (number: number): Text => ({
    en: `A hint: npm run exercise ${number} -- --hint`,
    vi: `Xem gợi ý: npm run exercise ${number} -- --hint`,
  }),
  allKept: { en: 'Every promise is kept. Well done.', vi: 'Mọi mục đều đạt. Rất tốt.' },
  nextExercise: { en: 'The whole course: npm run grade', vi: 'Xem cả khóa: npm run grade' },
  untouched: (file: string): Text => ({
    en: `Untouched: ${file} is still the stub, so nothing was run. 0 points.`,
    vi: `Chưa làm: ${file} vẫn là khung mã nên chưa chạy mục nào. 0 điểm.`,
  }),
  startHere: (slug: string): Text => ({
    en: `Read exercises/${slug}/README.md, then write exercises/${slug}/exercise.ts.`,
    vi: `Đọc exercises/${slug}/README.vi.md, rồi viết vào exercises/${slug}/exercise.ts.`,
  }),
  broken: {
    en: 'Broken: it could not be run, so nothing was graded. 0 points.',
    vi: 'Bị lỗi: không chạy được nên chưa chấm. 0 điểm.',
  },
  repair: (number: number): Text => ({
    en: `Repair it, then: npm run exercise ${number}`,
    vi: `Sửa lại, rồi chạy: npm run exercise ${number}`,
  }),
  notGraded: {
    en: 'Not graded: the kit could not come to a conclusion. This costs no points.',
    vi: 'Chưa chấm được: bộ chấm không đi đến kết luận. Bạn không bị trừ điểm.',
  },
  provisional: { en: 'What is known so far', vi: 'Những gì đã biết' },
  again: (number: number): Text => ({
    en: `Try again: npm run exercise ${number}`,
    vi: `Thử lại: npm run exercise ${number}`,
  }),
  cut: { en: 'connection cut', vi: 'mất kết nối' },
  lost: { en: 'reply lost', vi: 'mất phản hồi' },
  held: { en: 'held back', vi: 'bị giữ lại' },
  killed: { en: 'process killed', vi: 'tiến trình bị dừng' },
  isolatedBy: (isolation: string): Text => ({ en: `isolated by ${isolation}`, vi: `cách ly bằng ${isolation}` }),
  permissions: {
    en: 'Isolated by Node permissions only: good for practice, not for marks.',
    vi: 'Chỉ cách ly bằng quyền của Node: dùng để luyện tập, không dùng để lấy điểm.',
  },
  course: { en: 'The course', vi: 'Khóa học' },
  courseLevel: { en: 'Course level', vi: 'Cấp độ của khóa' },
  total: { en: 'Total', vi: 'Tổng điểm' },
  details: (number: number): Text => ({
    en: `In detail: npm run exercise ${number}`,
    vi: `Xem chi tiết: npm run exercise ${number}`,
  }),
  skillStates: { en: '✓ shown   ✗ missing   · not graded', vi: '✓ đã thể hiện   ✗ còn thiếu   · chưa chấm' },
} satisfies Record<string, Text | ((...gaps: never[]) => Text)>

export const levelNames: Record<Level | 'none', Text> = {
  none: { en: 'none yet', vi: 'chưa có' },
  beginner: { en: 'beginner', vi: 'cơ bản' },
  intermediate: { en: 'intermediate', vi: 'trung cấp' },
  advanced: { en: 'advanced', vi: 'nâng cao' },
}

export const criterionNames: Record<Criterion, Text> = {
  functionality: { en: 'functionality', vi: 'chức năng' },
  codeQuality: { en: 'code quality', vi: 'chất lượng mã' },
  performance: { en: 'performance', vi: 'hiệu năng' },
  documentation: { en: 'documentation', vi: 'tài liệu' },
  errorHandling: { en: 'error handling', vi: 'xử lý lỗi' },
}

export const stateNames = {
  graded: { en: 'graded', vi: 'đã chấm' },
  untouched: { en: 'untouched', vi: 'chưa làm' },
  'not-graded': { en: 'not graded', vi: 'chưa chấm được' },
  broken: { en: 'broken', vi: 'bị lỗi' },
} satisfies Record<string, Text>

// The rows of the ready-made schedules.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension SchedulePreset {
    /// The rows for a model.
    ///
    /// - Parameter cardSchedule: the schedule that the model's card names as its default; used if
    ///   it fits the model.
    func rows(patchNums: [Int], cardSchedule: [[Int]]?) -> [ScaleRow] {
        switch self {
        case .default:
            if let cardSchedule,
                (try? SamplingSchedule(patchNums: patchNums, rows: cardSchedule)) != nil
            {
                return zip(patchNums, cardSchedule).map { ScaleRow(side: $0, entries: $1) }
            }
            return published(patchNums, thirdScale: [1, 1, 2, 5])
        case .nextScaleOnly: return patchNums.map { ScaleRow(side: $0, entries: [$0 * $0]) }
        case .benchmark: return published(patchNums, thirdScale: [1, 3, 5])
        case .cosine:
            return patchNums.map { side in
                let steps = side == 1 ? 0 : side * side < 16 ? 2 : side * side < 64 ? 3 : 4
                return ScaleRow(side: side, family: .cosine, maskSteps: steps)
            }
        case .oneByOne:
            return patchNums.map {
                ScaleRow(side: $0, entries: [Int](repeating: 1, count: $0 * $0))
            }
        }
    }

    /// The published 256-pixel schedules: mask steps at the coarse scales only (arXiv 2506.04421).
    private func published(_ patchNums: [Int], thirdScale: [Int]) -> [ScaleRow] {
        patchNums.map { side in
            switch side {
            case 2: ScaleRow(side: 2, entries: [1, 3])
            case 3: ScaleRow(side: 3, entries: thirdScale)
            default: ScaleRow(side: side, entries: [side * side])
            }
        }
    }
}

// The schedules that the published models are run and compared with.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Token maps and schedules of the published work, by the side of the picture.
///
/// Source: HMAR (arXiv 2506.04421) and its published code.
package enum PublishedSchedule {
    /// Sides of pictures that schedules are known for.
    package static let imageSizes = [256, 512, 1024]

    /// Sides p_k of the token maps; nil for another size of picture.
    package static func patchNums(imageSize: Int) -> [Int]? {
        switch imageSize {
        case 256: [1, 2, 3, 4, 5, 6, 8, 10, 13, 16]
        case 512: [1, 2, 3, 4, 6, 9, 13, 18, 24, 32]
        case 1024: [1, 2, 3, 4, 5, 7, 9, 12, 16, 21, 27, 36, 48, 64]
        default: nil
        }
    }

    /// The schedule of the published speed comparison: few mask steps, at the coarse scales.
    package static func benchmark(imageSize: Int) -> SamplingSchedule? {
        switch imageSize {
        case 256: schedule(imageSize, [[1], [1, 3], [1, 3, 5]])
        case 512: schedule(imageSize, [[1], [1, 3], [1, 1, 2, 5], [5, 11]])
        case 1024: schedule(imageSize, [[1], [1, 3], [1, 1, 2, 5], [3, 5, 8]])
        default: nil
        }
    }

    /// The published sampler's own schedule where it has one, else that of the comparison.
    package static func `default`(imageSize: Int) -> SamplingSchedule? {
        imageSize == 256
            ? schedule(256, [[1], [1, 3], [1, 1, 2, 5]]) : benchmark(imageSize: imageSize)
    }

    /// The given rows of the first scales, one pass for each further one.
    private static func schedule(_ imageSize: Int, _ first: [[Int]]) -> SamplingSchedule? {
        guard let sides = patchNums(imageSize: imageSize) else { return nil }
        var schedule = SamplingSchedule.nextScaleOnly(patchNums: sides)
        for (scale, row) in first.enumerated() { try? schedule.setRow(row, scale: scale) }
        return schedule
    }
}

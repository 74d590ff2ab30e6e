// The multi-scale sampling schedule that users edit live. SPDX-License-Identifier: Apache-2.0

/// How many tokens each pass fixes at each scale of a next-scale model.
///
/// Row k is the list S_k of positive integers with `Σ S_k = p_k²`: its first entry is kept from the
/// next-scale pass, every further entry is fixed by one mask step. `[p_k²]` is the parallel pass of
/// VAR; `[1, 1, …]` is one token at a time.
///
/// Source: HMAR (arXiv 2506.04421), sampling schedules.
public struct SamplingSchedule: Sendable, Equatable, Codable {
    /// The side p_k of every token map, coarse to fine.
    public let patchNums: [Int]
    /// S_k for every scale.
    public private(set) var rows: [[Int]]

    /// Creates a schedule and checks it.
    ///
    /// - Throws: ``ScheduleError`` naming the first scale whose row is wrong.
    public init(patchNums: [Int], rows: [[Int]]) throws(ScheduleError) {
        guard rows.count == patchNums.count else {
            throw .wrongScaleCount(expected: patchNums.count, found: rows.count)
        }
        for (scale, row) in rows.enumerated() {
            try Self.check(row, scale: scale, side: patchNums[scale])
        }
        self.patchNums = patchNums
        self.rows = rows
    }

    /// The schedule with a single next-scale pass per scale, as VAR samples.
    public static func nextScaleOnly(patchNums: [Int]) -> SamplingSchedule {
        SamplingSchedule(unchecked: patchNums, rows: patchNums.map { [$0 * $0] })
    }

    /// The schedule whose every scale follows `family` with the given number of mask steps.
    ///
    /// A scale of one token never has mask steps; a step count beyond `p_k² − 1` is clipped by the
    /// generator itself.
    /// - Precondition: one non-negative step count per scale.
    public static func generated(
        patchNums: [Int], maskSteps: [Int], family: ScheduleFamily = .cosine
    ) -> SamplingSchedule {
        precondition(maskSteps.count == patchNums.count, "one step count per scale")
        let rows = zip(patchNums, maskSteps).map { side, steps in
            family.row(tokenCount: side * side, maskSteps: steps)
        }
        return SamplingSchedule(unchecked: patchNums, rows: rows)
    }

    /// Passes in all: one per entry of every row.
    public var passCount: Int { rows.reduce(0) { $0 + $1.count } }

    /// Replaces the row of one scale.
    ///
    /// - Throws: ``ScheduleError`` when the row does not sum to `p_k²` or has an entry below 1.
    public mutating func setRow(_ row: [Int], scale: Int) throws(ScheduleError) {
        guard patchNums.indices.contains(scale) else {
            throw .wrongScaleCount(expected: patchNums.count, found: scale + 1)
        }
        try Self.check(row, scale: scale, side: patchNums[scale])
        rows[scale] = row
    }

    private init(unchecked patchNums: [Int], rows: [[Int]]) {
        self.patchNums = patchNums
        self.rows = rows
    }

    private static func check(_ row: [Int], scale: Int, side: Int) throws(ScheduleError) {
        guard !row.isEmpty else { throw .emptyRow(scale: scale, expected: side * side) }
        for (index, count) in row.enumerated() where count < 1 {
            throw .notPositive(scale: scale, index: index, found: count)
        }
        // A hostile row may overflow when added up; reporting keeps the sum in range.
        var sum = 0
        for count in row {
            let (next, overflow) = sum.addingReportingOverflow(count)
            sum = overflow ? Int.max : next
            if overflow { break }
        }
        guard sum == side * side else {
            throw .wrongSum(scale: scale, side: side, expected: side * side, found: sum)
        }
    }
}

extension SamplingSchedule {
    private enum CodingKeys: String, CodingKey { case patchNums, rows }

    /// Decodes and checks; a stored schedule is no more trusted than a typed one.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let patchNums = try container.decode([Int].self, forKey: .patchNums)
        let rows = try container.decode([[Int]].self, forKey: .rows)
        try self.init(patchNums: patchNums, rows: rows)
    }
}

// Schedules as people type them. SPDX-License-Identifier: Apache-2.0
import Foundation

extension SamplingSchedule {
    /// Reads a schedule: `next-scale`, a family with mask steps (`cosine:3`), or JSON rows
    /// (`[[1],[1,3],[9]]`).
    ///
    /// - Throws: ``ScheduleError``.
    public init(parsing text: String, patchNums: [Int]) throws(ScheduleError) {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        if text == "next-scale" {
            self = .nextScaleOnly(patchNums: patchNums)
            return
        }
        if let (family, steps) = try Self.family(text) {
            self = .generated(
                patchNums: patchNums, maskSteps: patchNums.map { $0 == 1 ? 0 : steps },
                family: family)
            return
        }
        try self.init(patchNums: patchNums, rows: Self.rows(text))
    }

    /// Reads one row: integers parted by commas or blanks, with or without brackets.
    ///
    /// - Throws: ``ScheduleError/unreadable(reason:)``; the sum is checked by ``setRow(_:scale:)``.
    public static func row(parsing text: String) throws(ScheduleError) -> [Int] {
        let separators = CharacterSet(charactersIn: ",[] \t")
        var row: [Int] = []
        for word in text.components(separatedBy: separators) where !word.isEmpty {
            guard let count = Int(word) else {
                throw .unreadable(reason: "\"\(word.prefix(20))\" is not a whole number")
            }
            row.append(count)
        }
        return row
    }

    private static func family(
        _ text: String
    ) throws(ScheduleError) -> (ScheduleFamily, Int)? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let family = ScheduleFamily(rawValue: String(parts[0])) else {
            return nil
        }
        guard let steps = Int(parts[1]), (0...10_000).contains(steps) else {
            throw .unreadable(
                reason: "\"\(parts[1].prefix(20))\" mask steps; give a number from 0 to 10000")
        }
        return (family, steps)
    }

    private static func rows(_ text: String) throws(ScheduleError) -> [[Int]] {
        do {
            return try JSONDecoder().decode([[Int]].self, from: Data(text.utf8))
        } catch {
            let families = ScheduleFamily.allCases.map { "\($0.rawValue):STEPS" }
            throw .unreadable(
                reason: "\"\(text.prefix(40))\" is neither JSON nor next-scale, "
                    + families.joined(separator: ", "))
        }
    }
}

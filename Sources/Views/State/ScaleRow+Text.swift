// Rows typed by hand: what is valid, and the reason when it is not.
// SPDX-License-Identifier: Apache-2.0
import Core

nonisolated extension ScaleRow {
    /// Takes a row as typed, `1 3` or `[1,3]`. An invalid one is kept with its reason; the last
    /// valid entries stay in force.
    mutating func setText(_ text: String) {
        switch Self.parse(text, side: side) {
        case .success(let row):
            if row != entries {
                entries = row
                let generated = family?.row(tokenCount: tokenCount, maskSteps: row.count - 1)
                if generated != row { family = nil }
                maskSteps = row.count - 1
            }
            invalidText = nil
            reason = nil
        case .failure(let problem):
            invalidText = text
            reason = problem.text
        }
    }

    /// The entries in a width: equal ones as `2×128` where the whole row has no room.
    func text(width: Int) -> String {
        guard text.count > width, invalidText == nil, let first = entries.first, entries.count > 1,
            entries.allSatisfy({ $0 == first })
        else { return text }
        return "\(entries.count)×\(first)"
    }

    mutating func generate(family: ScheduleFamily, maskSteps: Int) {
        self = ScaleRow(
            side: side, family: family, maskSteps: max(0, min(tokenCount - 1, maskSteps)))
    }

    mutating func revert() {
        invalidText = nil
        reason = nil
    }

    struct Problem: Error, Equatable { var text: String }

    static func parse(_ text: String, side: Int) -> Result<[Int], Problem> {
        let expected = side * side
        func fail(_ reason: String) -> Result<[Int], Problem> { .failure(Problem(text: reason)) }
        let words = text.split { " ,;[]\t".contains($0) }
        if words.isEmpty { return fail("Empty: the entries must add up to \(expected).") }
        var row: [Int] = []
        var sum = 0
        for word in words {
            guard let value = Int(word) else {
                return fail("“\(word.prefix(12))” is not a whole number.")
            }
            guard value >= 1 else { return fail("\(value): every entry must be 1 or more.") }
            let (next, overflow) = sum.addingReportingOverflow(value)
            guard !overflow else { return fail("\(word) is too large.") }
            sum = next
            row.append(value)
        }
        guard sum == expected else {
            return fail("Adds up to \(sum); \(side)×\(side) needs \(expected).")
        }
        return .success(row)
    }
}

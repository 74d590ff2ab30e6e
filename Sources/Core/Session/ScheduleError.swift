// What can be wrong with a schedule. SPDX-License-Identifier: Apache-2.0

/// A schedule that cannot be run, with what its sentence needs.
public enum ScheduleError: Error, Equatable, Sendable {
    /// The number of rows is not the number of scales.
    case wrongScaleCount(expected: Int, found: Int)
    /// A row has no entries.
    case emptyRow(scale: Int, expected: Int)
    /// An entry is zero or negative.
    case notPositive(scale: Int, index: Int, found: Int)
    /// A row does not add up to p_k².
    case wrongSum(scale: Int, side: Int, expected: Int, found: Int)
    /// The text is not a JSON list of lists of integers.
    case unreadable(reason: String)
}

extension ScheduleError: CustomStringConvertible {
    /// One sentence: what is wrong, where, and what is allowed.
    public var description: String {
        switch self {
        case .wrongScaleCount(let expected, let found):
            return "The schedule has \(found) rows, but the model has \(expected) scales; "
                + "give one row per scale."
        case .emptyRow(let scale, let expected):
            return
                "Scale \(scale) of the schedule is empty; its entries must add up to \(expected)."
        case .notPositive(let scale, let index, let found):
            return "Scale \(scale), entry \(index) of the schedule is \(found); "
                + "every entry must be 1 or more."
        case .wrongSum(let scale, let side, let expected, let found):
            return
                "Scale \(scale) of the schedule adds up to \(found), but its \(side)×\(side) map "
                + "has \(expected) tokens; make the entries add up to \(expected)."
        case .unreadable(let reason):
            return "The schedule is not a JSON list of lists such as [[1],[1,3],[9]]: \(reason)."
        }
    }
}

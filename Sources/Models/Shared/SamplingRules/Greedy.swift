// Deterministic samplers.
// SPDX-License-Identifier: Apache-2.0

/// The likeliest code by the unfiltered logits; the first on ties.
public struct Greedy: TokenSampler, Sendable {
    public init() {}

    public func sample(_ table: LogitTable) -> [Int32] {
        (0..<(table.batch * table.count)).map {
            LogitTable.argmax(table.raw, row: $0, length: table.vocabulary)
        }
    }
}

/// The likeliest code by the filtered logits; the first on ties.
public struct GreedyFiltered: TokenSampler, Sendable {
    public init() {}

    public func sample(_ table: LogitTable) -> [Int32] {
        (0..<(table.batch * table.count)).map {
            LogitTable.argmax(table.filtered, row: $0, length: table.vocabulary)
        }
    }
}

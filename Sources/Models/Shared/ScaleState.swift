// The token map that is being sampled.
// SPDX-License-Identifier: Apache-2.0
import Core

/// One scale's tokens, which of them are open, which are masked now, and what is known of each.
struct ScaleState {
    let scale: Int
    /// p_k².
    let count: Int
    let batch: Int
    /// Positions that may change, ascending.
    let open: [Int]
    /// B·p_k² codes.
    var tokens: [Int32]
    /// Masked positions per picture, in the order of their last sort.
    private(set) var masked: [[Int]]
    /// How each cell of the first picture came to be.
    private(set) var origin: [TokenOrigin]
    private(set) var confidence: [Float]
    private(set) var entropy: [Float]
    private(set) var candidates: [[TokenCandidate]]

    init(scale: Int, count: Int, batch: Int, editable: [Bool]) {
        self.scale = scale
        self.count = count
        self.batch = batch
        open = editable.indices.filter { editable[$0] }
        tokens = [Int32](repeating: 0, count: batch * count)
        masked = [[Int]](repeating: [], count: batch)
        origin = editable.map { $0 ? .nextScale : .source }
        confidence = [Float](repeating: 1, count: count)
        entropy = [Float](repeating: 0, count: count)
        candidates = [[TokenCandidate]](repeating: [], count: count)
    }

    /// A map that was made elsewhere, all of it open.
    init(
        scale: Int, batch: Int, tokens: [Int32], origin: [TokenOrigin], confidence: [Float],
        entropy: [Float], candidates: [[TokenCandidate]]
    ) {
        self.scale = scale
        self.batch = batch
        self.tokens = tokens
        self.origin = origin
        self.confidence = confidence
        self.entropy = entropy
        self.candidates = candidates
        count = origin.count
        open = Array(origin.indices)
        masked = [[Int]](repeating: [], count: batch)
    }

    /// Every open position, once per picture.
    var openPositions: [[Int]] { [[Int]](repeating: open, count: batch) }

    /// 1 at masked positions, else 0, [B, p_k², 1].
    var maskTensor: Tensor {
        var flags = [Float](repeating: 0, count: batch * count)
        for (picture, positions) in masked.enumerated() {
            for position in positions { flags[picture * count + position] = 1 }
        }
        return Tensor(flags, shape: [batch, count, 1])
    }

    /// Fills the map with the source's tokens, B·p_k² codes.
    mutating func setSource(_ source: [Int32]) {
        tokens = source
        for position in 0..<count {
            candidates[position] = [TokenCandidate(code: source[position], probability: 1)]
        }
    }

    /// Masks the `number` positions of lowest confidence among those given.
    ///
    /// Confidence is the filtered probability of the chosen code; the sort is ascending and stable,
    /// and positions keep the sorted order for the next one, as the published sampler does.
    mutating func mask(
        _ number: Int, among positions: [[Int]], _ table: LogitTable,
        _ observer: any GenerationObserver
    ) throws {
        var confidences: [[Float]] = []
        var orders: [[Int]] = []
        for picture in 0..<batch {
            let list = positions[picture]
            let values = list.map {
                table.confidence(
                    row: picture * count + $0, code: tokens[picture * count + $0])
            }
            let order = values.indices.sorted { a, b in
                values[a] != values[b] ? values[a] < values[b] : a < b
            }
            masked[picture] = order.prefix(number).map { list[$0] }
            confidences.append(values)
            orders.append(order)
        }
        for position in masked.first ?? [] { origin[position] = .pending }
        observer.sorted(confidences: confidences, orders: orders)
    }

    /// Notes that what is masked now is fixed by a mask step; the next `mask` takes some back.
    mutating func markFixed(step: Int) {
        for position in masked.first ?? [] { origin[position] = .maskStep(step) }
    }

    /// Keeps the first picture's distribution at the positions just sampled, for the token view.
    mutating func record(_ table: LogitTable, positions: [Int]) {
        for position in positions {
            confidence[position] = table.confidence(row: position, code: tokens[position])
            let summary = TokenSummary(table, row: position)
            entropy[position] = summary.entropy
            candidates[position] = summary.candidates
        }
    }

    /// The first picture's grid.
    func grid(side: Int) -> TokenGrid {
        TokenGrid(
            scale: scale, side: side, tokens: Array(tokens.prefix(count)), confidence: confidence,
            entropy: entropy, origin: origin, candidates: candidates)
    }
}

/// Entropy and likeliest codes of one unfiltered guided distribution.
struct TokenSummary {
    /// In bits.
    var entropy: Float
    /// Ten, likeliest first; the lower code on ties.
    var candidates: [TokenCandidate]

    init(_ table: LogitTable, row: Int) {
        let n = table.vocabulary
        let summary = table.raw.withUnsafeBufferPointer { all in
            CategoricalSampling.summary(
                UnsafeBufferPointer(rebasing: all[(row * n)..<((row + 1) * n)]), count: 10)
        }
        entropy = summary.entropy
        candidates = summary.likeliest.map {
            TokenCandidate(code: Int32($0.code), probability: $0.probability)
        }
    }
}

// Finding lines by a few of their letters.
// SPDX-License-Identifier: Apache-2.0

nonisolated enum FuzzyMatch {
    /// How well a query fits a text, higher is better; nil when its letters are not all there in
    /// order. Beginnings of words and letters in a row count more.
    static func score(_ query: String, in text: String) -> Int? {
        let wanted = query.lowercased().filter { $0 != " " }
        if wanted.isEmpty { return 0 }
        let letters = Array(text.lowercased())
        let keys = Array(wanted)
        var best: Int?
        for start in letters.indices where letters[start] == keys[0] {
            guard let score = greedy(keys, letters, from: start) else { continue }
            best = max(best ?? Int.min, score)
        }
        return best
    }

    private static func greedy(_ keys: [Character], _ letters: [Character], from start: Int)
        -> Int?
    {
        var score = 0
        var position = start
        var last = -2
        for key in keys {
            while position < letters.count, letters[position] != key { position += 1 }
            guard position < letters.count else { return nil }
            let startsWord = position == 0 || !letters[position - 1].isLetter
            score += 1 + (startsWord ? 4 : 0) + (position == last + 1 ? 3 : 0)
            last = position
            position += 1
        }
        return score * 8 - (last - start) - start
    }

    /// The elements that fit, the best first; equal ones keep their order.
    static func filter<Element>(
        _ elements: [Element], by query: String, text: (Element) -> String
    ) -> [Element] {
        if query.allSatisfy({ $0 == " " }) { return elements }
        return elements.enumerated()
            .compactMap { item in
                score(query, in: text(item.element)).map { (item.offset, $0, item.element) }
            }
            .sorted { ($0.1, -$0.0) > ($1.1, -$1.0) }
            .map(\.2)
    }
}

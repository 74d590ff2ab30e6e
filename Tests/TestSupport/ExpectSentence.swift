// Errors must be sentences for people. SPDX-License-Identifier: Apache-2.0
import Testing

/// Expects an error whose description is a sentence that holds all the given words.
public func expectSentence(
    _ words: String..., sourceLocation: SourceLocation = #_sourceLocation,
    from body: () throws -> Void
) {
    do {
        try body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    } catch {
        let text = "\(error)"
        for word in words where !text.contains(word) {
            Issue.record("\"\(word)\" is not in: \(text)", sourceLocation: sourceLocation)
        }
        if !text.hasSuffix(".") || text.count > 1_000 {
            Issue.record("not a sentence: \(text)", sourceLocation: sourceLocation)
        }
    }
}

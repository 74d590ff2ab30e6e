// `workbench bench peer`: one answer per request, whatever the request.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@Suite("bench peer")
struct BenchPeerTests {
    /// The answers to some requests.
    private func answers(_ requests: String...) throws -> [[String: Any]] {
        let program = try Program()
        let text = requests.joined(separator: "\n")
        try Data(text.utf8).write(to: URL(fileURLWithPath: program.folder.file("requests")))
        let outcome = try program.shell("$WORKBENCH bench peer --threads 1 < requests")
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try outcome.output.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    @Test("times every operator, forward and backward")
    func operators() throws {
        let requests = [
            #"{"op": "conv2d", "shape": [1, 3, 4, 8, 3]"#, #"{"op": "linear", "shape": [2, 8, 4]"#,
            #"{"op": "attention", "shape": [1, 2, 5, 4], "blocks": [1, 4]"#,
            #"{"op": "attention", "shape": [1, 2, 5, 4]"#,
            #"{"op": "group_norm_silu", "shape": [1, 32, 4]"#,
            #"{"op": "layer_norm", "shape": [2, 3, 8]"#, #"{"op": "adamw", "shape": [10]"#,
        ].flatMap { ["\($0)}", "\($0), \"backward\": true, \"repeats\": 2}"] }
        let found = try answers(requests.joined(separator: "\n"))
        #expect(found.count == requests.count)
        for (request, answer) in zip(requests, found) {
            #expect(answer["seconds"] is Double, "\(request): \(answer)")
        }
    }

    @Test("a training step lowers the loss of its batch")
    func trainingStep() throws {
        let request = #"{"op": "training_step", "shape": [1]"#
        let found = try answers("\(request)}", "\(request), \"repeats\": 4}")
        let losses = try found.map { answer in
            try #require((answer["figures"] as? [String: Double])?["loss"])
        }
        #expect(losses.count == 2)
        #expect(try #require(losses.last) < (try #require(losses.first)))
    }

    @Test("says what is wrong and goes on")
    func refusals() throws {
        let found = try answers(
            "linear", #"{"op": "fly"}"#, #"{"op": "linear", "shape": [1, 0, 2]}"#,
            #"{"op": "attention", "shape": [1, 1, 5, 4], "blocks": [1, 2]}"#,
            #"{"op": "group_norm_silu", "shape": [1, 8, 4]}"#, #"{"op": "hmar_sample"}"#,
            #"{"op": "linear", "shape": [1, 2, 2], "repeats": 0}"#,
            #"{"op": "linear", "shape": [1, 2, 2]}"#)
        #expect(found.count == 8)
        for answer in found.dropLast() {
            #expect((answer["error"] as? String)?.count ?? 0 > 20, "\(answer)")
        }
        #expect(found.last?["seconds"] is Double)
    }
}

// `workbench bench peer`: timing on request, for programs that time something else in turn.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation

/// Answers requests for timings, one JSON object a line.
struct BenchPeerCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "peer",
        abstract: "Time operators and models on request, line by line.",
        discussion: """
            Reads one JSON object a line from standard input, runs what it names and answers with \
            one line: {"seconds": s, ...}, or {"error": "..."}. A program that times another \
            library asks for one measurement, makes its own, and so on in turn: both then see the \
            same machine. The first request of a kind prepares it and runs it once untimed.

            op, shape:
              conv2d           [batch, in, out, side, kernel], "backward": true for all gradients
              linear           [rows, in, out]
              attention        [batch, heads, tokens, width]; "blocks": lengths of blocks that do \
            not see each other; "backward": true
              group_norm_silu  [batch, channels, side], 32 groups; "backward": true
              layer_norm       [batch, tokens, width], modulated; "backward": true
              adamw            [parameters]
              training_step    [batch]: HMAR's phase 1 with 6 blocks of 192 channels, 130 tokens
              symmetry_step    [batch]: ssl-sym's small autoencoder, h = 16, E = 64, d = 32
              hmar_sample      files in "weights" and "tokenizer", settings in "sampling"

            "repeats": n takes the mean of n runs in a row.

            Example:
              echo '{"op": "linear", "shape": [512, 1024, 4096], "repeats": 10}' | \
            workbench bench peer --threads 2
            """)

    @OptionGroup var common: CommonOptions

    func run() throws {
        var workloads = PeerWorkloads()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        while let line = readLine() {
            if line.allSatisfy(\.isWhitespace) { continue }
            let answer = workloads.answer(to: line)
            Output.line(String(decoding: try encoder.encode(answer), as: UTF8.self))
        }
    }
}

/// What a peer asks for.
struct PeerRequest: Decodable, Equatable {
    var op: String
    var shape: [Int]?
    var backward: Bool?
    /// Lengths of the blocks of block-diagonal attention.
    var blocks: [Int]?
    var repeats: Int?
    /// Files and settings of `hmar_sample`.
    var weights: String?
    var tokenizer: String?
    var sampling: PeerSampling?

    /// The request without what may change between two runs of the same workload.
    var workload: PeerRequest {
        var request = self
        request.repeats = nil
        request.sampling = nil
        return request
    }
}

/// One line of answer.
struct PeerAnswer: Encodable {
    /// Mean wall seconds of one run.
    var seconds: Double?
    /// Further figures by name: seconds of parts, bytes, counts.
    var figures: [String: Double]?
    /// The picture's bytes, RGB, where it was asked for.
    var picture: Data?
    var error: String?
}

/// Keeps the workload that was asked for last and times it.
struct PeerWorkloads {
    private var current: (request: PeerRequest, workload: any PeerWorkload)?

    /// Never throws: what is wrong is said in the answer, and the peer may go on.
    mutating func answer(to line: String) -> PeerAnswer {
        do {
            let request: PeerRequest
            do {
                request = try JSONDecoder().decode(PeerRequest.self, from: Data(line.utf8))
            } catch {
                throw InputError(
                    "This line is no request; write one JSON object such as "
                        + #"{"op": "linear", "shape": [512, 1024, 4096]}."#)
            }
            return try measure(request)
        } catch {
            return PeerAnswer(error: "\(error)")
        }
    }

    private mutating func measure(_ request: PeerRequest) throws -> PeerAnswer {
        let repeats = request.repeats ?? 1
        guard (1...1_000_000).contains(repeats) else {
            throw InputError("repeats is \(repeats); give 1 to 1000000.")
        }
        let workload: any PeerWorkload
        if let current, current.request == request.workload {
            workload = current.workload
        } else {
            // The old one goes first: two models at once might not fit.
            current = nil
            workload = try PeerCatalogue.workload(for: request)
            _ = try workload.run(request)
            current = (request.workload, workload)
        }
        var answer = PeerAnswer()
        let start = ProcessInfo.processInfo.systemUptime
        for _ in 0..<repeats { answer = try workload.run(request) }
        answer.seconds = (ProcessInfo.processInfo.systemUptime - start) / Double(repeats)
        return answer
    }
}

/// Something prepared that can be run again and again.
protocol PeerWorkload {
    /// Runs once; the caller takes the time.
    func run(_ request: PeerRequest) throws -> PeerAnswer
}

// The terminal application as its user feels it. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Views

/// Starts the application in a pseudo-terminal and times its answers.
struct ApplicationBenchmarks {
    /// Options that the application is started with.
    let arguments: [String]

    func run(_ bench: Benchmark) throws -> [BenchRow] {
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let command = [program, "run", "--no-session"] + arguments
        var first: [Double] = []
        for _ in 0...bench.runs {
            try bench.cancellation.check()
            let terminal = try PseudoTerminal(command, columns: 120, rows: 40)
            if let seconds = terminal.waitForOutput(seconds: 10) { first.append(seconds) }
        }
        guard first.count > bench.runs else {
            throw InputError("The application did not draw anything within 10 s.")
        }
        var rows = [bench.row("start to first bytes", times: Array(first.dropFirst()))]
        let terminal = try PseudoTerminal(command, columns: 120, rows: 40)
        terminal.drain(silence: 1.0)
        rows.append(
            BenchRow(
                "idle output in 2 s", value: Double(terminal.drain(silence: 2.0)), unit: "bytes"))
        rows += try latency(bench, terminal, keys: 200, label: "key to bytes, idle")
        rows += try latencyWhileSampling(bench, terminal)
        return rows
    }

    private func latency(
        _ bench: Benchmark, _ terminal: PseudoTerminal, keys: Int, label: String
    ) throws -> [BenchRow] {
        var times: [Double] = []
        terminal.send("2")
        terminal.drain(silence: 0.2)
        for i in 0..<keys {
            try bench.cancellation.check()
            // The last line of the list is chosen at first: up, then down.
            terminal.send(i % 2 == 0 ? "\u{1B}[A" : "\u{1B}[B")
            if let seconds = terminal.waitForOutput(seconds: 1) { times.append(seconds) }
            terminal.drain(silence: 0.01, limit: 0.1)
        }
        return Self.rows(label, times, asked: keys)
    }

    /// Keys pressed in the list of the schedule while the model samples one picture after the other.
    private func latencyWhileSampling(
        _ bench: Benchmark, _ terminal: PseudoTerminal
    ) throws -> [BenchRow] {
        var times: [Double] = []
        let rounds = 40
        let keys = 5
        for _ in 0..<rounds {
            try bench.cancellation.check()
            terminal.send("R")
            for i in 0..<keys {
                // Whatever is drawn anyway must not be taken for the key's answer.
                terminal.drain(silence: 0.001, limit: 0.02)
                terminal.send(i % 2 == 0 ? "\u{1B}[B" : "\u{1B}[A")
                if let seconds = terminal.waitForOutput(seconds: 1) { times.append(seconds) }
            }
            terminal.drain(silence: 0.15, limit: 1)
        }
        return Self.rows("key to bytes, while sampling", times, asked: rounds * keys)
    }

    private static func rows(_ label: String, _ times: [Double], asked: Int) -> [BenchRow] {
        let sorted = times.sorted()
        func percentile(_ p: Double) -> Double {
            sorted.isEmpty
                ? .nan : sorted[min(sorted.count - 1, Int(Double(sorted.count) * p))] * 1e3
        }
        return [
            BenchRow("\(label), p50", value: percentile(0.50), unit: "ms"),
            BenchRow("\(label), p99", value: percentile(0.99), unit: "ms"),
            BenchRow("\(label), worst", value: percentile(1), unit: "ms"),
            BenchRow("\(label), answered", value: Double(times.count), unit: "of \(asked) keys"),
        ]
    }
}

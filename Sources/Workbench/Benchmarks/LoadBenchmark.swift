// Loading in processes of their own. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Models

/// A session over two files, and how long it took to get there.
struct LoadedCheckpoint {
    /// What a child says on one line.
    struct Answer: Codable {
        /// Seconds from the first byte read until the model is there.
        var readySeconds: Double
        /// Seconds of the first pass.
        var firstPassSeconds: Double
        var weightBytes: Int
    }

    private let session: HMARSession
    private let seconds: Double

    /// Loads a tokenizer and a transformer, in any order.
    ///
    /// - Throws: `CheckpointError`, `FileFormatError`, `InputError`.
    init(files: [String]) throws {
        let start = ProcessInfo.processInfo.systemUptime
        var found: [CheckpointKind: TensorArchive] = [:]
        for path in files {
            let archive = try TensorArchive.open(path: path)
            found[try CheckpointKind.infer(archive)] = archive
        }
        guard found[.tokenizer] != nil, found[.hmar] != nil || found[.var] != nil else {
            throw InputError(
                "bench load takes a tokenizer and an assembled HMAR or VAR; found "
                    + found.keys.map(\.rawValue).sorted().joined(separator: ", ") + ".")
        }
        session = try HMARSession(
            card: ModelCard(
                name: "loaded", system: "hmar", summary: "", data: "", dataLicence: "",
                licence: ""),
            tokenizer: found[.tokenizer], hmar: found[.hmar], varBaseline: found[.var])
        seconds = ProcessInfo.processInfo.systemUptime - start
    }

    /// Makes one pass, reads every weight, says so, and waits for the end of standard input.
    func hold() throws {
        let variant = session.variants[0]
        let clock = FirstPass()
        let control = SamplingControl(
            cancellation: clock.cancellation, observer: { clock.note($0.seconds) })
        _ = try? session.sample(
            SamplingRequest(
                variant: variant,
                schedule: .nextScaleOnly(patchNums: session.geometry.patchNums)),
            control: control)
        let parameters =
            session.tokenizer.parameters + (session.hmar?.parameters ?? [])
            + (session.var?.network.parameters ?? [])
        var sum: Float = 0
        for parameter in parameters {
            let value = parameter.value
            for i in stride(from: 0, to: value.count, by: 1024) { sum += value.floatAddress[i] }
        }
        guard sum.isFinite else { throw InputError("The files hold numbers that are not finite.") }
        let answer = Answer(
            readySeconds: seconds, firstPassSeconds: clock.seconds,
            weightBytes: session.weightBytes)
        Output.line(String(decoding: try JSONEncoder().encode(answer), as: UTF8.self))
        _ = FileHandle.standardInput.readDataToEndOfFile()
    }
}

/// Takes the time of the first pass and ends the picture there.
private final class FirstPass: @unchecked Sendable {
    let cancellation = Cancellation()
    private let lock = NSLock()
    private var time = 0.0

    var seconds: Double { lock.withLock { time } }

    func note(_ seconds: Double) {
        lock.withLock { time = seconds }
        cancellation.cancel()
    }
}

/// Loads one file several times, then in two processes at once.
struct LoadBenchmark {
    let files: [String]
    let runs: Int
    let threads: Int
    let cancellation: Cancellation

    func run() throws -> [BenchRow] {
        let bench = Benchmark(runs: runs, cancellation: cancellation)
        var answers: [LoadedCheckpoint.Answer] = []
        var alone: ResidentMemory.Rollup?
        for _ in 0...runs {
            let (child, answer) = try start()
            alone = ResidentMemory.Rollup(process: child.identifier)
            answers.append(answer)
            try child.end()
        }
        // The first is the warm-up.
        let ready = Array(answers.dropFirst().map(\.readySeconds))
        let pass = Array(answers.dropFirst().map(\.firstPassSeconds))
        var rows = [
            bench.row("open and check, ready for the first pass", times: ready),
            bench.row("first pass, one token", times: pass),
            BenchRow("weights", value: Double(answers[0].weightBytes) / 1e6, unit: "MB"),
        ]
        let (first, _) = try start()
        let (second, _) = try start()
        let pair = [first, second].map { ResidentMemory.Rollup(process: $0.identifier) }
        try first.end()
        try second.end()
        guard let alone, let one = pair[0], let two = pair[1] else {
            rows.append(BenchRow("/proc/PID/smaps_rollup cannot be read: no memory figures"))
            return rows
        }
        func row(_ name: String, _ bytes: Int) -> BenchRow {
            BenchRow(name, value: Double(bytes) / 1e6, unit: "MB")
        }
        return rows + [
            row("one process, resident with every weight read", alone.resident),
            row("one process, proportional share", alone.proportional),
            row("two processes, resident each", one.resident),
            row("two processes, proportional share each", one.proportional),
            row("two processes, private each", one.private),
            row(
                "what the second process costs",
                one.proportional + two.proportional - alone.proportional),
        ]
    }

    private func start() throws -> (ChildProcess, LoadedCheckpoint.Answer) {
        try cancellation.check()
        let child = try ChildProcess(
            ["bench", "load", "--hold", "--threads", "\(threads)"] + files,
            cancellation: cancellation)
        guard let line = child.line(),
            let answer = try? JSONDecoder().decode(
                LoadedCheckpoint.Answer.self, from: Data(line.utf8))
        else { throw ChildProcess.Failure(arguments: child.arguments) }
        return (child, answer)
    }
}

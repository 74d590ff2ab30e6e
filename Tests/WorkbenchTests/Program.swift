// Runs the built program as a person's shell would. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

/// The executable that lies beside the tests.
struct Program {
    /// What a run left behind.
    struct Outcome {
        /// The exit status; minus the number of the signal that ended it.
        var status: Int32
        var output: String
        var errors: String

        /// The one JSON document on standard output.
        func json(sourceLocation: SourceLocation = #_sourceLocation) throws -> Any {
            do {
                return try JSONSerialization.jsonObject(
                    with: Data(output.utf8), options: .fragmentsAllowed)
            } catch {
                Issue.record("no JSON: \(output.prefix(300))", sourceLocation: sourceLocation)
                throw error
            }
        }

        /// Its fields, where it is an object.
        func fields(sourceLocation: SourceLocation = #_sourceLocation) throws -> [String: Any] {
            try #require(
                try json(sourceLocation: sourceLocation) as? [String: Any],
                sourceLocation: sourceLocation)
        }
    }

    /// Home, data and working folder of every run.
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let path: String = {
        let tests =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: tests).deletingLastPathComponent()
            .appendingPathComponent("workbench").path
    }()

    /// Runs to the end.
    func run(
        _ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        try run(arguments, sourceLocation: sourceLocation)
    }

    func run(
        _ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        try start(arguments).end(sourceLocation: sourceLocation)
    }

    /// Runs a shell's line in which `$WORKBENCH` is the program.
    func shell(
        _ line: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        try Running(self, program: "/bin/bash", ["-c", line]).end(sourceLocation: sourceLocation)
    }

    /// Starts a run that the test goes on to watch.
    func start(_ arguments: [String], output: FileHandle? = nil) throws -> Running {
        try Running(self, program: Self.path, arguments, output: output)
    }

    /// A run that must succeed.
    @discardableResult
    func succeed(
        _ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        let outcome = try run(arguments, sourceLocation: sourceLocation)
        #expect(
            outcome.status == 0, "\(arguments): \(outcome.errors)", sourceLocation: sourceLocation)
        return outcome
    }

    /// A run that must be refused with status 2 and one clear message that holds the words.
    func refuse(
        _ arguments: [String], _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let outcome = try run(arguments, sourceLocation: sourceLocation)
        let text = outcome.errors
        #expect(outcome.status == 2, "\(arguments): \(text)", sourceLocation: sourceLocation)
        #expect(outcome.output.isEmpty, "\(outcome.output)", sourceLocation: sourceLocation)
        for word in words where !word.isEmpty {
            #expect(
                text.contains(word), "\(arguments): no \"\(word)\" in: \(text)",
                sourceLocation: sourceLocation)
        }
        let isClear =
            (text.hasPrefix("workbench: ") || text.hasPrefix("Error: ")) && text.count < 1_500
            && !text.contains("Fatal error") && !text.contains("0x")
        #expect(isClear, "no clear message: \(text)", sourceLocation: sourceLocation)
    }

    var environment: [String: String] {
        [
            "HOME": folder.path, "XDG_DATA_HOME": folder.path + "/data",
            "XDG_CONFIG_HOME": folder.path + "/config", "PATH": "/usr/bin:/bin",
            "XDG_STATE_HOME": folder.path + "/state", "LC_ALL": "C.UTF-8",
            "WORKBENCH": Self.path,
        ]
    }
}

/// A run in progress.
final class Running {
    private let process = Process()
    private let ended = DispatchSemaphore(value: 0)
    private let outputPath: String
    private let errorPath: String

    fileprivate init(
        _ program: Program, program path: String, _ arguments: [String], output: FileHandle? = nil
    ) throws {
        let unique = UUID().uuidString
        outputPath = program.folder.file(".out-\(unique)")
        errorPath = program.folder.file(".err-\(unique)")
        try Data().write(to: URL(fileURLWithPath: outputPath))
        try Data().write(to: URL(fileURLWithPath: errorPath))
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = program.environment
        process.currentDirectoryURL = URL(fileURLWithPath: program.folder.path)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput =
            try output ?? FileHandle(forWritingTo: URL(fileURLWithPath: outputPath))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errorPath))
        let ended = ended
        process.terminationHandler = { _ in ended.signal() }
        try process.run()
    }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits for the end; a run of ten minutes is killed and reported.
    func end(sourceLocation: SourceLocation = #_sourceLocation) -> Program.Outcome {
        if ended.wait(timeout: .now() + 600) == .timedOut {
            Issue.record("the program did not end", sourceLocation: sourceLocation)
            send(SIGKILL)
            ended.wait()
        }
        let status = process.terminationStatus
        return Program.Outcome(
            status: process.terminationReason == .uncaughtSignal ? -status : status,
            output: Self.text(outputPath), errors: Self.text(errorPath))
    }

    /// Whether it has ended.
    var hasEnded: Bool { !process.isRunning }

    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}

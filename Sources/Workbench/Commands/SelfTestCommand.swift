// `workbench selftest`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation

/// Checks that this build computes right on this machine.
struct SelfTestCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "selftest",
        abstract: "Check gradients, number formats, random numbers and installed models.",
        discussion: """
            Gradients are compared with differences, number formats and random numbers with known \
            answers, weight files with the checksums of their cards, and models with the answers \
            that were stored beside them (<name>.selftest.json). With --device cuda every operator \
            and a short training are compared with the CPU first.

            Examples:
              workbench selftest
              workbench selftest --json
              workbench selftest --device cuda --filter attention
              workbench selftest --record --models weights
            """)

    @Option(help: ArgumentHelp("Run only checks whose name contains this.", valueName: "text"))
    var filter: String?

    @Flag(help: "Store the answers of the installed models instead of checking them.")
    var record = false

    @OptionGroup var json: JSONOption
    @OptionGroup var common: CommonOptions

    private struct Report: Encodable {
        struct Row: Encodable {
            var name: String
            var passed: Bool
            var detail: String
        }
        var passed: Bool
        var device: String
        var checks: [Row]
    }

    func run() throws {
        let interrupt = Interrupt()
        let access = try ModelAccess(common)
        if record { return try recordAnswers(access, cancellation: interrupt.cancellation) }
        var rows: [Report.Row] = []
        let checks = (SelfCheck.all(access, interrupt.cancellation)).filter { check in
            filter.map { check.name.contains($0) } ?? true
        }
        for check in checks {
            try interrupt.cancellation.check()
            var row = Report.Row(name: check.name, passed: true, detail: "")
            do {
                row.detail = try check.body()
                try currentDevice.throwPendingError()
            } catch let error as CancellationError {
                throw error
            } catch {
                row.passed = false
                row.detail = "\(error)"
            }
            rows.append(row)
            if !json.isOn {
                let detail = row.detail.isEmpty ? "" : "  \(row.detail)"
                Output.line("\(row.passed ? "ok  " : "FAIL")  \(row.name)\(detail)")
            }
        }
        let failed = rows.filter { !$0.passed }
        if json.isOn {
            try Output.json(
                Report(
                    passed: failed.isEmpty, device: currentDevice.name, checks: rows))
        } else {
            Output.line(
                failed.isEmpty
                    ? "All \(rows.count) checks passed."
                    : "\(failed.count) of \(rows.count) checks failed.")
        }
        if !failed.isEmpty { throw ExitCode(ExitStatus.failure) }
    }

    private func recordAnswers(_ access: ModelAccess, cancellation: Cancellation) throws {
        guard !access.catalog.entries.isEmpty else {
            throw InputError(
                "No models in \(access.catalog.folders.joined(separator: ", ")); "
                    + "give a folder with --models.")
        }
        for entry in access.catalog.entries {
            try ModelCatalog.verify(entry, cancellation: cancellation)
            let model = try access.registry.load(entry, cancellation: cancellation)
            let answers = try StoredAnswers(of: model, cancellation: cancellation)
            try answers.write(to: StoredAnswers.path(entry))
            Output.line(StoredAnswers.path(entry))
        }
    }
}

/// One check: its body returns a remark or throws what is wrong.
struct SelfCheck {
    var name: String
    var body: () throws -> String

    /// What is wrong, in a sentence.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Everything; on a GPU its comparison with the CPU first.
    static func all(_ access: ModelAccess, _ cancellation: Cancellation) -> [SelfCheck] {
        let models = models(access, cancellation)
        guard let gpu = currentDevice as? CUDADevice else { return numerics + models }
        // Differences and stored answers are finer than bfloat16.
        let exact = (numerics + models).map { check in
            SelfCheck(name: check.name) {
                let before = gpu.precision
                gpu.precision = .float32
                defer { gpu.precision = before }
                return try check.body()
            }
        }
        return device(gpu) + exact
    }

    /// Everything that needs no model.
    static var numerics: [SelfCheck] { gradients + numberFormats + randomNumbers }

    /// Fails with a sentence unless the condition holds.
    static func require(_ holds: Bool, _ sentence: @autoclosure () -> String) throws {
        guard holds else { throw Failure(description: sentence()) }
    }
}

// This program several times, a GPU each. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation

/// Runs the same command line in several processes and ends when they have.
///
/// They find their rank and size in the variables of common launchers. When one of them fails the
/// others are stopped, since they would wait for it for ever.
struct ParallelProcesses {
    let count: Int

    /// - Throws: `CUDAError` when there are fewer GPUs; `ExitCode` of the first that failed.
    func run() throws {
        let found = try CUDADescription.all().0.count
        guard found >= count else {
            throw CUDAError.noSuchDevice(wanted: count - 1, found: found)
        }
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let job =
            "\(ProcessInfo.processInfo.processIdentifier)-\(Int(Date().timeIntervalSince1970))"
        let ended = DispatchSemaphore(value: 0)
        let processes = (0..<count).map { rank in
            let process = Process()
            process.executableURL = URL(filePath: path)
            process.arguments = Array(CommandLine.arguments.dropFirst())
            var environment = ProcessInfo.processInfo.environment
            environment["RANK"] = "\(rank)"
            environment["WORLD_SIZE"] = "\(count)"
            environment["LOCAL_RANK"] = "\(rank)"
            environment["WORKBENCH_JOB"] = job
            process.environment = environment
            process.standardInput = FileHandle.nullDevice
            process.terminationHandler = { _ in ended.signal() }
            return process
        }
        let interrupt = Interrupt()
        // A time limit (`timeout`) or a closed terminal ends them as Ctrl-C does.
        let sources = [SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(
                signal: number, queue: DispatchQueue(label: "end"))
            let cancellation = interrupt.cancellation
            source.setEventHandler { @Sendable in cancellation.cancel() }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        do {
            for process in processes { try process.run() }
            try watch(processes, ended: ended, cancellation: interrupt.cancellation)
        } catch {
            stop(processes)
            throw error
        }
    }

    private func watch(
        _ processes: [Process], ended: DispatchSemaphore, cancellation: Cancellation
    ) throws {
        var left = count
        var isAsked = false
        while left > 0 {
            if ended.wait(timeout: .now() + 0.1) == .success { left -= 1 }
            if cancellation.isCancelled, !isAsked {
                // They agree on a step, save and end.
                isAsked = true
                for process in processes where process.isRunning { process.interrupt() }
            }
            let failed = processes.enumerated().first {
                !$0.element.isRunning && Self.status($0.element) != 0
            }
            guard let failed else { continue }
            let status = Self.status(failed.element)
            guard !(isAsked && status == ExitStatus.interrupted) else { continue }
            Output.note(
                "Process \(failed.offset) of \(count) ended with status \(status); the others are "
                    + "stopped. The last checkpoint is kept.")
            stop(processes)
            throw ExitCode(status)
        }
        if isAsked { throw CancellationError() }
    }

    /// A process that a signal ended counts as one with the shell's status for it.
    private static func status(_ process: Process) -> Int32 {
        process.terminationReason == .uncaughtSignal
            ? 128 + process.terminationStatus : process.terminationStatus
    }

    /// A process that waits for a dead one in the driver hears nothing but SIGKILL.
    private func stop(_ processes: [Process]) {
        for process in processes where process.isRunning { process.terminate() }
        let deadline = ProcessInfo.processInfo.systemUptime + 3
        while processes.contains(where: \.isRunning),
            ProcessInfo.processInfo.systemUptime < deadline
        {
            Thread.sleep(forTimeInterval: 0.05)
        }
        for process in processes where process.isRunning {
            kill(process.processIdentifier, SIGKILL)
        }
    }
}

// This program once more, as a process of its own. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// A run of this program whose standard output is read.
final class ChildProcess {
    /// A run that did not end well; what it had to say is on standard error already.
    struct Failure: Error, CustomStringConvertible {
        let arguments: [String]
        var description: String {
            "The measurement `workbench \(arguments.joined(separator: " "))` failed."
        }
    }

    let arguments: [String]
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let ended = DispatchSemaphore(value: 0)
    private let cancellation: Cancellation
    private let watch: any DispatchSourceTimer

    /// - Parameter cancellation: ends the process once it is set.
    init(_ arguments: [String], cancellation: Cancellation) throws {
        self.arguments = arguments
        self.cancellation = cancellation
        watch = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "child"))
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        let ended = ended
        process.terminationHandler = { _ in ended.signal() }
        try process.run()
        let identifier = process.processIdentifier
        // A child has a process group of its own, so that Ctrl-C does not reach it.
        watch.setEventHandler { @Sendable in
            if cancellation.isCancelled { kill(identifier, SIGTERM) }
        }
        watch.schedule(deadline: .now(), repeating: 0.05)
        watch.resume()
    }

    deinit {
        watch.cancel()
        if process.isRunning { process.terminate() }
    }

    var identifier: Int32 { process.processIdentifier }

    /// The next line that it writes, without its end; nil when it has ended.
    func line() -> String? {
        var bytes: [UInt8] = []
        while let byte = try? output.fileHandleForReading.read(upToCount: 1)?.first {
            if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
        return nil
    }

    /// Ends its standard input, reads what is left of its output and waits for its end.
    ///
    /// - Throws: `CancellationError`, or ``Failure`` for a status other than 0.
    @discardableResult
    func end() throws -> Data {
        try? input.fileHandleForWriting.close()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        ended.wait()
        watch.cancel()
        try cancellation.check()
        guard process.terminationStatus == 0 else { throw Failure(arguments: arguments) }
        return data
    }
}

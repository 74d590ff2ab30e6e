// A program in a pseudo-terminal, for measuring the application from outside.
// SPDX-License-Identifier: Apache-2.0
import CTerm
import Foundation

/// Runs a program in a terminal of its own and plays a terminal with sixel and pixel mouse.
///
/// It answers the start-up questions and the fences at once, so that what is measured is the
/// program's own time.
nonisolated public final class PseudoTerminal {
    private let master: Int32
    private let process: pid_t
    /// Bytes received so far.
    public private(set) var received = 0
    private var pending: [UInt8] = []

    /// Starts a program.
    ///
    /// - Throws: ``TerminalError`` when there is no pseudo-terminal to be had.
    public init(_ arguments: [String], columns: Int, rows: Int) throws {
        var environment = ProcessInfo.processInfo.environment
        environment["TERM"] = "xterm-256color"
        environment["TMUX"] = nil
        environment["NO_COLOR"] = nil
        let argv = arguments.map { strdup($0) } + [nil]
        let envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        let size = [Int32(rows), Int32(columns), Int32(columns * 10), Int32(rows * 20)]
        var child: Int32 = 0
        master = cterm_pty_spawn(
            argv.map { UnsafePointer($0) }, envp.map { UnsafePointer($0) }, size, &child)
        process = child
        guard master >= 0 else { throw TerminalError.system(String(cString: strerror(errno))) }
    }

    /// Ends the program, by force if need be.
    deinit {
        guard master >= 0 else { return }
        kill(process, SIGKILL)
        var status: Int32 = 0
        waitpid(process, &status, 0)
        Foundation.close(master)
    }

    /// Sends keys.
    public func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(master, bytes, bytes.count)
    }

    /// Reads until bytes come or the time is up; returns the seconds it took, nil without bytes.
    public func waitForOutput(seconds: Double) -> Double? {
        let start = ProcessInfo.processInfo.systemUptime
        while true {
            let left = seconds - (ProcessInfo.processInfo.systemUptime - start)
            guard left > 0 else { return nil }
            if readSome(seconds: left) > 0 { return ProcessInfo.processInfo.systemUptime - start }
        }
    }

    /// Reads until the program has been silent for a while; returns the bytes that came.
    @discardableResult
    public func drain(silence: Double, limit: Double = 10) -> Int {
        let start = ProcessInfo.processInfo.systemUptime
        let before = received
        while ProcessInfo.processInfo.systemUptime - start < limit, readSome(seconds: silence) > 0 {
        }
        return received - before
    }

    private func readSome(seconds: Double) -> Int {
        var wait = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
        guard poll(&wait, 1, Int32(max(1, seconds * 1000))) > 0 else { return 0 }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(master, &buffer, buffer.count)
        guard count > 0 else { return 0 }
        received += count
        answer(buffer[..<count])
        return count
    }

    private func answer(_ bytes: ArraySlice<UInt8>) {
        pending += bytes
        let answers: [(question: String, answer: String)] = [
            ("\u{1B}[?1016$p", "\u{1B}[?1016;2$y"), ("\u{1B}[5n", "\u{1B}[0n"),
            ("\u{1B}[c", "\u{1B}[?63;1;2;4c"),
        ]
        let text = String(decoding: pending, as: UTF8.self)
        for (question, answer) in answers {
            let count = text.components(separatedBy: question).count - 1
            for _ in 0..<max(0, count) { send(answer) }
        }
        // A question may be cut in two: the tail stays, but never a whole question twice.
        let tail = pending.suffix(7)
        let isWhole = answers.contains {
            String(decoding: tail, as: UTF8.self).contains($0.question)
        }
        pending = isWhole ? [] : Array(tail)
    }
}

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
    /// Gets every byte that the program writes.
    public var onBytes: (([UInt8]) -> Void)?
    /// What the terminal says it can do.
    private let answers: [(question: String, answer: String)]
    private let hasPixelMouse: Bool
    private let rate: Double?
    /// Until when the bytes read so far take on a slow line.
    private var busyUntil = 0.0
    private var reportsPixels = false
    private var status: Int32?

    /// What the terminal is.
    public struct Kind: Sendable {
        public var term = "xterm-256color"
        public var hasSixel = true
        public var hasPixelMouse = true
        /// Answers no question at all.
        public var isMute = false
        /// Bytes a second that it reads; nil for all that comes.
        public var rate: Double?

        public init() {}
    }

    /// Starts a program.
    ///
    /// - Throws: ``TerminalError`` when there is no pseudo-terminal to be had.
    public init(
        _ arguments: [String], columns: Int, rows: Int, kind: Kind = Kind(),
        environment variables: [String: String]? = nil
    ) throws {
        var environment = variables ?? ProcessInfo.processInfo.environment
        environment["TERM"] = kind.term
        answers = Self.answers(kind)
        hasPixelMouse = kind.hasPixelMouse
        rate = kind.rate
        environment["TMUX"] = nil
        if variables == nil { environment["NO_COLOR"] = nil }
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
        if status == nil {
            kill(process, SIGKILL)
            var status: Int32 = 0
            waitpid(process, &status, 0)
        }
        Foundation.close(master)
    }

    /// Sends keys.
    public func send(_ text: String) { send(Array(text.utf8)) }

    public func send(_ bytes: [UInt8]) { _ = write(master, bytes, bytes.count) }

    /// Bytes of memory that the program holds now; nil when it has ended.
    public var residentBytes: Int? {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8)
        else { return nil }
        return text.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 4096 }
    }

    /// Whether the program runs still.
    public var isRunning: Bool { !hasEnded }

    /// Sends a signal to the program.
    public func signal(_ number: Int32) { kill(process, number) }

    /// Gives the window another size; the kernel tells the program.
    public func resize(columns: Int, rows: Int) {
        var size = winsize(
            ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: UInt16(columns * 10),
            ws_ypixel: UInt16(rows * 20))
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    }

    /// Reads until a condition holds; returns whether it came to hold in time.
    public func wait(seconds: Double, until condition: () -> Bool) -> Bool {
        let start = ProcessInfo.processInfo.systemUptime
        while !condition() {
            let left = seconds - (ProcessInfo.processInfo.systemUptime - start)
            guard left > 0 else { return false }
            if readSome(seconds: min(left, 0.05)) == 0, hasEnded { return condition() }
        }
        return true
    }

    /// Reads to the end of the program; its exit status, minus the signal that ended it, or nil.
    public func waitForEnd(seconds: Double) -> Int32? {
        _ = wait(seconds: seconds) { hasEnded }
        // What it wrote last may still be in the terminal.
        while readSome(seconds: 0.01) > 0 {}
        return status
    }

    private var hasEnded: Bool {
        if status != nil { return true }
        var raw: Int32 = 0
        guard waitpid(process, &raw, WNOHANG) == process else { return false }
        let signal = raw & 0x7F
        status = signal == 0 ? (raw >> 8) & 0xFF : -signal
        return true
    }

    /// The terminal's settings now, to see whether the program gave them back.
    public var hasCanonicalInput: Bool {
        var settings = termios()
        guard tcgetattr(master, &settings) == 0 else { return false }
        return settings.c_lflag & UInt32(ICANON) != 0 && settings.c_lflag & UInt32(ECHO) != 0
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
        var seconds = seconds
        var most = 65_536
        if let rate {
            // Five milliseconds' worth at a time, when its time has come.
            let early = busyUntil - ProcessInfo.processInfo.systemUptime
            if early > 0 {
                usleep(UInt32(min(early, seconds) * 1e6))
                if early > seconds { return 0 }
                seconds -= early
            }
            most = max(1, Int(rate / 200))
        }
        var wait = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
        guard poll(&wait, 1, Int32(max(1, seconds * 1000))) > 0 else { return 0 }
        var buffer = [UInt8](repeating: 0, count: most)
        let count = read(master, &buffer, buffer.count)
        guard count > 0 else { return 0 }
        if let rate {
            let now = ProcessInfo.processInfo.systemUptime
            busyUntil = max(busyUntil, now) + Double(count) / rate
        }
        received += count
        onBytes?(Array(buffer[..<count]))
        answer(buffer[..<count])
        return count
    }

    private static func answers(_ kind: Kind) -> [(question: String, answer: String)] {
        if kind.isMute { return [] }
        return [
            ("\u{1B}[?1016$p", "\u{1B}[?1016;\(kind.hasPixelMouse ? 2 : 0)$y"),
            ("\u{1B}[5n", "\u{1B}[0n"),
            ("\u{1B}[c", kind.hasSixel ? "\u{1B}[?63;1;2;4c" : "\u{1B}[?63;1;2c"),
        ]
    }

    private func answer(_ bytes: ArraySlice<UInt8>) {
        pending += bytes
        let text = String(decoding: pending, as: UTF8.self)
        if hasPixelMouse, text.contains("\u{1B}[?1016h") { reportsPixels = true }
        for (question, answer) in answers {
            let count = text.components(separatedBy: question).count - 1
            for _ in 0..<max(0, count) {
                let isOn = reportsPixels && question.contains("1016")
                send(isOn ? answer.replacing(";2$y", with: ";1$y") : answer)
            }
        }
        // A question may be cut in two: the tail stays, but never a whole question twice.
        let tail = pending.suffix(7)
        let isWhole = answers.contains {
            String(decoding: tail, as: UTF8.self).contains($0.question)
        }
        pending = isWhole ? [] : Array(tail)
    }
}

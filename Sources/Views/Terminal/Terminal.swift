// The tty: opened into full-screen mode, written without blocking, given back at the end.
// SPDX-License-Identifier: Apache-2.0
import CTerm
import Foundation
import Glibc

/// The terminal in full-screen mode. One per process.
@MainActor public final class Terminal {
    /// What the command line and the configuration decide.
    public struct Options: Sendable {
        /// Standard error goes here while the screen is up; nil leaves it.
        public var logPath: String?
        public var allowsMouse = true
        /// False for half-blocks even where the terminal shows pictures.
        public var allowsPictures = true
        /// Seconds that a lone ESC waits for more.
        public var escapeDelay = 0.025
        /// Pixels of a cell for terminals that say nothing.
        public var cellSize: PixelSize?
        /// Whether the font has braille patterns; nil asks the environment.
        public var hasBraille: Bool?

        public init() {}
    }

    let descriptor: Int32
    let screen: CursesScreen
    package let environment: TerminalEnvironment
    package let options: Options
    private var output: [UInt8] = []
    /// Where in `output` pictures stand that are only right for the size they were made for.
    private var pictures: [Range<Int>] = []
    private var sent = 0
    private var hasPixelReports = false
    private var mouseModes = ""
    private var resetsDisplayMode = false
    private var isOpen = true

    /// Opens the terminal; nothing is sent before the guard stands.
    ///
    /// - Throws: `TerminalError`.
    public init(
        options: Options = Options(),
        environment: TerminalEnvironment = TerminalEnvironment(
            variables: ProcessInfo.processInfo.environment)
    ) throws {
        if isatty(0) == 0 { throw TerminalError.notATerminal("Standard input") }
        if isatty(1) == 0 { throw TerminalError.notATerminal("Standard output") }
        if environment.term.isEmpty { throw TerminalError.noTerm }
        if environment.term == "dumb" { throw TerminalError.tooSimple("dumb") }
        self.options = options
        self.environment = environment
        descriptor = cterm_tty_open()
        if descriptor < 0 { throw TerminalError.system(String(cString: strerror(errno))) }
        let size = Self.size(of: descriptor)
        // Curses installs handlers only where none stand, so the guard comes first.
        if cterm_guard_install(descriptor, options.logPath) != 0 {
            let reason = String(cString: strerror(errno))
            Glibc.close(descriptor)
            throw TerminalError.system(reason)
        }
        do {
            screen = try CursesScreen(
                terminfoName: environment.terminfoName, size: size.cells,
                forbidsColor: environment.forbidsColor,
                hasBraille: options.hasBraille ?? !environment.isMlterm)
        } catch {
            cterm_guard_remove()
            Glibc.close(descriptor)
            throw error
        }
        enter()
    }

    /// The size now, as the kernel knows it.
    public var size: ScreenSize { Self.size(of: descriptor) }

    private static func size(of descriptor: Int32) -> ScreenSize {
        var values: [Int32] = [0, 0, 0, 0]
        _ = cterm_window_size(descriptor, &values)
        let cells =
            values[0] > 0 && values[1] > 0
            ? CellSize(columns: Int(values[1]), rows: Int(values[0]))
            : CellSize(columns: 80, rows: 24)
        return ScreenSize(
            cells: cells, pixels: PixelSize(width: Int(values[2]), height: Int(values[3])))
    }

    // MARK: In and out

    private func enter() {
        cterm_guard_active(1)
        _ = cterm_raw_on(descriptor)
        // Bracketed paste and focus reports.
        send("\u{1B}[?2004h\u{1B}[?1004h" + mouseModes)
        if resetsDisplayMode { send("\u{1B}[?80l") }
    }

    /// Back to the shell's screen; `resume` returns.
    func leave() {
        discardOutput()
        let bytes = screen.leave()
        // The guard makes the descriptor blocking; the few bytes before it may not fit.
        writeAll(bytes)
        if resetsDisplayMode { writeAll(Array("\u{1B}[?80h".utf8)) }
        cterm_guard_restore()
    }

    /// Full-screen mode again; the next frame must be a full redraw.
    func resume() {
        _ = screen.leave()
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        enter()
    }

    /// Gives the terminal back. Safe to call twice.
    public func close() {
        guard isOpen else { return }
        isOpen = false
        leave()
        cterm_discard()
        cterm_guard_remove()
        Glibc.close(descriptor)
    }

    /// Mouse reports as wanted; sends only differences.
    func setMouse(isOn: Bool, hover: Bool, pixels: Bool) {
        let isOn = isOn && options.allowsMouse
        var modes = ""
        if isOn {
            modes = hover ? "\u{1B}[?1003h" : "\u{1B}[?1002h"
            modes += "\u{1B}[?1006h"
            // The answer to the question marks the place in the stream where pixels begin.
            if pixels { modes += "\u{1B}[?1016h\u{1B}[?1016$p" }
        }
        guard modes != mouseModes else { return }
        if !mouseModes.isEmpty { send("\u{1B}[?1016l\u{1B}[?1003l\u{1B}[?1002l\u{1B}[?1006l") }
        mouseModes = modes
        send(modes)
    }

    /// Sixel display mode would put every picture in the corner: off while we run.
    func resetDisplayMode() {
        guard !resetsDisplayMode else { return }
        resetsDisplayMode = true
        send("\u{1B}[?80l")
    }

    /// Puts a text into the clipboard of the person's machine (OSC 52).
    func copy(_ text: String) {
        send("\u{1B}]52;c;" + Data(text.utf8).base64EncodedString() + "\u{07}")
    }

    // MARK: Bytes

    /// Whether bytes wait for the terminal.
    var hasUnsentBytes: Bool { sent < output.count }

    func send(_ text: String) { output += Array(text.utf8) }

    /// Bytes of a frame; `pictures` says where in them pictures stand.
    func send(_ bytes: [UInt8], pictures ranges: [Range<Int>] = []) {
        let start = output.count
        pictures += ranges.map { start + $0.lowerBound..<start + $0.upperBound }
        output += bytes
    }

    /// Whether pictures wait that could still be left out.
    var hasPicturesWaiting: Bool { pictures.contains { $0.lowerBound >= sent } }

    /// Leaves out pictures of which nothing has been written: the window has another size now, and
    /// they would be cut at its edge or scroll it.
    func dropPictures() {
        for range in pictures.reversed() where range.lowerBound >= sent {
            output.removeSubrange(range)
        }
        pictures.removeAll()
    }

    private func discardOutput() {
        // What was cut may be half a picture: cancel it, or end it where CAN is not known.
        let wasCut = sent > 0 && hasUnsentBytes
        output.removeAll()
        pictures.removeAll()
        sent = 0
        if wasCut { writeAll([0x18, 0x1B, 0x5C]) }
    }

    /// Writes what the terminal takes now; false when it is gone.
    func flush() -> Bool {
        while hasUnsentBytes {
            let n = output.withUnsafeBytes { buffer in
                // In bounds: `sent` is less than the count.
                write(descriptor, buffer.baseAddress?.advanced(by: sent), buffer.count - sent)
            }
            if n > 0 {
                sent += n
            } else if n < 0, errno == EINTR {
                continue
            } else if n < 0, errno == EAGAIN {
                return true
            } else {
                return false
            }
        }
        output.removeAll(keepingCapacity: true)
        pictures.removeAll(keepingCapacity: true)
        sent = 0
        return true
    }

    /// Writes a few bytes for sure, waiting at most a second.
    private func writeAll(_ bytes: [UInt8]) {
        var rest = bytes[...]
        var waits = 0
        while !rest.isEmpty, waits < 20 {
            let n = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if n > 0 {
                rest = rest.dropFirst(n)
            } else if n < 0, errno == EAGAIN || errno == EINTR {
                var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, 50)
                waits += 1
            } else {
                return
            }
        }
    }

    /// Reads what is there; nil when the terminal is gone.
    func read() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let n = Glibc.read(descriptor, &bytes, bytes.count)
        if n > 0 { return Array(bytes[..<n]) }
        if n < 0, errno == EAGAIN || errno == EINTR { return [] }
        return nil
    }
}

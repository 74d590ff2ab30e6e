// Asks the terminal what it can do without opening the application. SPDX-License-Identifier: Apache-2.0
import Foundation

/// Puts the start-up questions to the terminal and returns its answers, for `doctor`.
nonisolated public enum TerminalProbe {
    /// What the terminal answered within a third of a second; nil when there is none.
    ///
    /// The line discipline is put back before it returns.
    public static func capabilities(
        environment: TerminalEnvironment = TerminalEnvironment(
            variables: ProcessInfo.processInfo.environment)
    ) -> (capabilities: Capabilities, size: ScreenSize, answered: Bool)? {
        let descriptor = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var saved = termios()
        guard tcgetattr(descriptor, &saved) == 0 else { return nil }
        var raw = saved
        cfmakeraw(&raw)
        tcsetattr(descriptor, TCSANOW, &raw)
        defer { tcsetattr(descriptor, TCSAFLUSH, &saved) }

        let size = Self.size(descriptor)
        var queries = TerminalQueries(environment: environment, screen: size)
        let question = Array(queries.questions.utf8)
        guard write(descriptor, question, question.count) == question.count else { return nil }
        let answered = collect(descriptor, into: &queries)
        return (queries.capabilities, size, answered)
    }

    private static func collect(_ descriptor: Int32, into queries: inout TerminalQueries) -> Bool {
        var decoder = KeyDecoder()
        let end = ProcessInfo.processInfo.systemUptime + 0.33
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !queries.capabilities.isSettled {
            let now = ProcessInfo.processInfo.systemUptime
            guard now < end else { return false }
            var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&wait, 1, Int32((end - now) * 1000) + 1) > 0 else { return false }
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return false }
            for event in decoder.feed(buffer[..<count], time: now) {
                if case .reply(let reply) = event { _ = queries.apply(reply) }
            }
        }
        return true
    }

    private static func size(_ descriptor: Int32) -> ScreenSize {
        var window = winsize()
        _ = ioctl(descriptor, UInt(TIOCGWINSZ), &window)
        return ScreenSize(
            cells: CellSize(
                columns: max(1, Int(window.ws_col)), rows: max(1, Int(window.ws_row))),
            pixels: PixelSize(width: Int(window.ws_xpixel), height: Int(window.ws_ypixel)))
    }
}

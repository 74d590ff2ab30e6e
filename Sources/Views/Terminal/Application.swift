// What the event loop drives; testable without a terminal.
// SPDX-License-Identifier: Apache-2.0

/// What an application asks of the terminal besides drawing.
nonisolated public enum TerminalRequest: Sendable, Hashable {
    /// Puts a text on the clipboard (OSC 52).
    case copy(String)
    /// Sends everything again, pictures too.
    case redraw
    /// Gives the terminal back and stops until the shell continues the program.
    case suspend
    /// Gives the terminal to a program (an editor) until that ends: its name and arguments.
    case run([String])
}

/// A full-screen program: events go in, frames come out.
public protocol Application: AnyObject {
    /// Whether the loop should end; looked at after every call.
    var isFinished: Bool { get }
    /// Whether `draw` would give another frame than last time. `draw` is not called otherwise.
    var needsDisplay: Bool { get }
    /// When `tick` wants to be called next, in seconds of `EventLoop.now`; nil for never.
    var nextDeadline: Double? { get }
    /// Whether motion without a button is wanted.
    var wantsHover: Bool { get }
    /// Whether the mouse is used at all; off leaves selecting text to the terminal.
    var wantsMouse: Bool { get }

    /// Takes one event of the person. Never called with `.reply`.
    func handle(_ event: InputEvent)
    /// Called after waking up, by a timer or by `Wakeup.wake()`: take what other threads left.
    func tick(now: Double)
    /// The screen as it should look now; also called for every new size.
    func draw(size: CellSize) -> Frame
    /// Taken by the loop after every call: what was asked for since, oldest first.
    func takeRequests() -> [TerminalRequest]
    /// What the terminal can do became known, or changed with its size.
    func terminalChanged(_ capabilities: Capabilities)
    /// The process was asked to end by a signal, or the terminal is gone: save now.
    func willTerminate()
}

extension Application {
    public var nextDeadline: Double? { nil }
    public var wantsHover: Bool { false }
    public var wantsMouse: Bool { true }
    public func tick(now: Double) {}
    public func takeRequests() -> [TerminalRequest] { [] }
    public func terminalChanged(_ capabilities: Capabilities) {}
    public func willTerminate() {}
}

// The main thread's loop: poll, drain the input, let the application react, compose, write.
// SPDX-License-Identifier: Apache-2.0
import CTerm
import Glibc

/// Drives an application on a terminal until it is finished.
///
/// All input that waits is taken before a frame is composed, and while bytes of a frame are unsent
/// no new one is: bursts and slow lines cost frames, never delay.
public final class EventLoop {
    /// Why the loop ended.
    public enum End: Sendable, Equatable {
        case finished
        /// The terminal is gone.
        case hangup
        /// A signal asked for it; after saving, `EventLoop.die(of:)` ends the process by it.
        case signal(Int32)
    }

    /// Counters for the debug line and for tests.
    public struct Statistics: Sendable, Equatable {
        public var frames = 0
        public var bytes = 0
        /// Previews that a newer one replaced before they were sent.
        public var drops = 0
        /// Seconds of the slowest composition.
        public var slowestComposition = 0.0
    }

    public private(set) var statistics = Statistics()

    /// Seconds after which nobody expects the first answers any more.
    private static let answerPatience = 2.0

    private let terminal: Terminal
    private let application: any Application
    private let pictures: (any PictureProvider)?
    private let wakeup: Wakeup
    private let composer: FrameComposer
    private var queries: TerminalQueries
    private var decoder = KeyDecoder()
    private var size: ScreenSize
    private var queryDeadline: Double?
    /// When the questions were asked that are not answered yet.
    private var askedAt: Double?
    private var needsFrame = true
    private var needsPictures = false
    private var end: End?

    public init(
        terminal: Terminal, application: any Application, pictures: (any PictureProvider)? = nil,
        wakeup: Wakeup
    ) {
        self.terminal = terminal
        self.application = application
        self.pictures = pictures
        self.wakeup = wakeup
        size = terminal.size
        queries = TerminalQueries(
            environment: terminal.environment, screen: size,
            allowsPictures: terminal.options.allowsPictures,
            configuredCell: terminal.options.cellSize)
        queries.curses(colors: terminal.screen.colors)
        composer = FrameComposer(screen: terminal.screen, capabilities: queries.capabilities)
        decoder.escapeDelay = terminal.options.escapeDelay
        decoder.mouse.bounds = size.cells
    }

    /// Seconds of the monotonic clock.
    public static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// Ends the process by a signal, after the terminal was closed, so that its parent sees it.
    public static func die(of signal: Int32) { cterm_die_of(signal) }

    /// Runs until the application is finished, a signal asks to end, or the terminal is gone.
    public func run() -> End {
        terminal.send(queries.questions)
        let start = Self.now
        askedAt = start
        queryDeadline = start + TerminalQueries.patience
        application.terminalChanged(queries.capabilities)
        while true {
            if end == nil, application.isFinished { end = .finished }
            if let end {
                if end != .finished { application.willTerminate() }
                return end
            }
            perform(application.takeRequests())
            updateMouse()
            composeIfPossible()
            flush()
            if end == nil { wait() }
        }
    }

    private func flush() {
        guard terminal.hasUnsentBytes else { return }
        // The size right before writing: a picture made for another one must not be sent.
        if terminal.hasPicturesWaiting, terminal.size != size {
            terminal.dropPictures()
            resize()
        }
        if !terminal.flush() { end = .hangup }
        if !terminal.hasUnsentBytes { composer.fence.written(now: Self.now) }
    }

    // MARK: Waiting

    private func wait() {
        decoder.awaitsReplies = askedAt.map { Self.now - $0 < Self.answerPatience } ?? false
        let wantsOutput = terminal.hasUnsentBytes
        var entries = [
            pollfd(
                fd: terminal.descriptor, events: Int16(POLLIN | (wantsOutput ? POLLOUT : 0)),
                revents: 0),
            pollfd(fd: wakeup.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: cterm_signal_fd(), events: Int16(POLLIN), revents: 0),
        ]
        let ready = poll(&entries, 3, timeout(wantsOutput: wantsOutput))
        let now = Self.now
        if ready > 0 {
            if entries[2].revents != 0 { takeSignals() }
            if entries[0].revents != 0 { takeInput(now: now) }
            if entries[1].revents != 0, wakeup.drain() {
                application.tick(now: now)
                needsPictures = true
            }
        }
        takeTimers(now: now)
    }

    /// Milliseconds until something is due.
    private func timeout(wantsOutput: Bool) -> Int32 {
        // A frame that can be composed is composed before the next wait only if the loop comes by.
        if application.isFinished { return 0 }
        if !wantsOutput, needsFrame || application.needsDisplay || composer.unfinished != nil,
            composer.fence.canCompose
        {
            return 0
        }
        var deadlines = [application.nextDeadline, decoder.deadline, queryDeadline]
        if !wantsOutput, composer.pending == .fence || composer.fence.isWaiting {
            deadlines.append(composer.fence.deadline)
        }
        if !wantsOutput { deadlines.append(composer.refineDeadline) }
        guard let next = deadlines.compactMap({ $0 }).min() else { return -1 }
        let left = (next - Self.now) * 1000
        return left <= 0 ? 0 : Int32(min(left.rounded(.up), 60_000))
    }

    private func takeTimers(now: Double) {
        handle(decoder.tick(time: now))
        if let queryDeadline, now >= queryDeadline {
            self.queryDeadline = nil
            queries.giveUp()
            capabilitiesChanged()
        }
        if let deadline = application.nextDeadline, now >= deadline { application.tick(now: now) }
        if let deadline = composer.fence.deadline, now >= deadline {
            composer.fence.tick(now: now)
            needsPictures = needsPictures || composer.pending == .fence
        }
        if let deadline = composer.refineDeadline, now >= deadline { needsPictures = true }
    }

    // MARK: Input

    private func takeInput(now: Double) {
        // At most 4 MiB at a stretch: a paste without end must not keep the screen from showing.
        for _ in 0..<64 {
            guard let bytes = terminal.read() else {
                end = end ?? .hangup
                return
            }
            if bytes.isEmpty { return }
            handle(decoder.feed(bytes, time: now))
            if application.isFinished { return }
        }
    }

    private func handle(_ events: [InputEvent]) {
        for event in events {
            if case .reply(let reply) = event { take(reply) } else { application.handle(event) }
        }
    }

    private func take(_ reply: TerminalReply) {
        if case .status = reply {
            composer.fence.answered(now: Self.now)
            needsPictures = true
            return
        }
        if case .mode(1016, 1) = reply, queries.capabilities.hasPixelMouse {
            decoder.mouse.pixelsPerCell = queries.capabilities.cellSize
        }
        if case .deviceAttributes = reply, let asked = askedAt {
            composer.fence.answered(after: Self.now - asked)
            askedAt = nil
        }
        if queries.apply(reply) { capabilitiesChanged() }
        if queries.capabilities.isSettled { queryDeadline = nil }
    }

    private func capabilitiesChanged() {
        var known = queries.capabilities
        if known.terminfoName != composer.capabilities.terminfoName {
            // The terminal turned out to be able to do more than TERM says.
            do {
                try terminal.screen.restart(
                    terminfoName: known.terminfoName, size: size.cells)
            } catch {
                end = .hangup
                return
            }
            queries.curses(colors: terminal.screen.colors)
            known = queries.capabilities
            composer.invalidate()
        }
        if known.hasSixelDisplayMode { terminal.resetDisplayMode() }
        if known.cellSize != composer.capabilities.cellSize { composer.invalidate() }
        if decoder.mouse.pixelsPerCell != nil { decoder.mouse.pixelsPerCell = known.cellSize }
        composer.capabilities = known
        application.terminalChanged(known)
        needsFrame = true
    }

    private func updateMouse() {
        terminal.setMouse(
            isOn: application.wantsMouse, hover: application.wantsHover,
            pixels: queries.capabilities.hasPixelMouse)
    }

    // MARK: Signals and requests

    private func takeSignals() {
        var numbers = [UInt8](repeating: 0, count: 64)
        let count = read(cterm_signal_fd(), &numbers, numbers.count)
        guard count > 0 else { return }
        for number in Set(numbers[..<count]) {
            switch Int32(number) {
            case SIGWINCH:
                // Also with the size known already: between two sizes the terminal lost its rows.
                composer.invalidate()
                needsFrame = true
                resize()
            case SIGTSTP: suspend { cterm_stop_group() }
            case SIGCONT: resume()
            default: end = .signal(Int32(number))
            }
        }
    }

    private func resize() {
        let new = terminal.size
        guard new != size else { return }
        size = new
        decoder.mouse.bounds = new.cells
        queries.resized(to: new)
        composer.invalidate()
        capabilitiesChanged()
        application.handle(.resize(new))
    }

    /// Runs a program on the terminal and returns its status.
    private static func run(_ command: [String]) -> Int32 {
        guard !command.isEmpty else { return -1 }
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        return cterm_run(arguments)
    }

    private func suspend(_ body: () -> Void) {
        terminal.leave()
        body()
        resume()
    }

    private func resume() {
        terminal.resume()
        composer.fence.reset()
        composer.invalidate()
        resize()
        needsFrame = true
    }

    private func perform(_ requests: [TerminalRequest]) {
        for request in requests {
            switch request {
            case .copy(let text): terminal.copy(text)
            case .suspend: suspend { cterm_stop_group() }
            case .redraw:
                composer.invalidate()
                needsFrame = true
            case .run(let command): suspend { _ = Self.run(command) }
            }
        }
    }

    // MARK: Output

    private func composeIfPossible() {
        guard !terminal.hasUnsentBytes || statistics.frames == 0, composer.fence.canCompose else {
            return
        }
        let start = Self.now
        let bytes: [UInt8]
        if needsFrame || application.needsDisplay {
            // The size again just before: a picture made for another one must not be sent.
            resize()
            needsFrame = false
            needsPictures = false
            let frame = application.draw(size: size.cells)
            bytes = composer.compose(frame, pictures: pictures, now: start)
            statistics.frames += 1
        } else if let rest = composer.unfinished {
            needsPictures = false
            bytes = composer.compose(rest, pictures: pictures, now: start)
        } else if needsPictures {
            needsPictures = false
            bytes = composer.composePictures(pictures, now: start)
        } else {
            return
        }
        terminal.send(bytes, pictures: composer.pictureRanges)
        statistics.bytes += bytes.count
        statistics.drops = composer.fence.drops
        statistics.slowestComposition = max(statistics.slowestComposition, Self.now - start)
    }
}

// `workbench tour`: captions over the real application, and the keys of each stop pressed for one.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Leads through the application. Space or Enter goes on, Esc leaves it to the person.
public final class TourApplication: ApplicationProxy {
    private let application: WorkbenchApplication
    /// Seconds a stop is shown when it goes on by itself; nil waits for Space.
    private let pace: Double?
    private let clock: () -> Double
    private var index = 0
    private var pending: [Command] = []
    /// Whether the keys of the stop have been pressed.
    private var isPlayed = false
    private var nextAt: Double?
    private var hasEnded = false
    private var isDirty = true
    /// Seconds between keys, so that they can be followed.
    private let keyInterval: Double
    private let steps = TourStep.all

    /// - Parameters:
    ///   - pace: seconds for a stop without Space; for recordings.
    ///   - keyInterval: seconds between two keys; 0 in tests.
    public init(
        _ application: WorkbenchApplication, pace: Double? = nil, keyInterval: Double = 0.35,
        clock: @escaping () -> Double = { EventLoop.now }
    ) {
        self.application = application
        self.pace = pace
        self.clock = clock
        self.keyInterval = keyInterval
        super.init(application)
    }

    /// Whether the person has the application for themselves.
    public var isOver: Bool { hasEnded }
    /// Left over at the end of a tour that goes by itself.
    public override var isFinished: Bool {
        application.isFinished || hasEnded && pace != nil
    }
    public override var needsDisplay: Bool { isDirty || application.needsDisplay }

    public override var nextDeadline: Double? {
        [application.nextDeadline, hasEnded ? nil : nextAt].compactMap { $0 }.min()
    }

    public override func handle(_ event: InputEvent) {
        guard !hasEnded else { return application.handle(event) }
        switch event {
        case .key(let key):
            switch key {
            case KeyPress(" "), KeyPress(.enter): advance()
            case KeyPress(.escape), KeyPress("q"), KeyPress("c", .control): end()
            default: break
            }
        case .mouse(let mouse): if mouse.kind == .press { advance() }
        default: application.handle(event)
        }
        isDirty = true
    }

    public override func tick(now: Double) {
        application.tick(now: now)
        guard !hasEnded else { return }
        if let nextAt, now >= nextAt {
            self.nextAt = nil
            proceed(now)
        } else if nextAt == nil {
            proceed(now)
        }
    }

    public override func draw(size: CellSize) -> Frame {
        var frame = application.draw(size: size)
        isDirty = false
        if !hasEnded { caption(into: &frame.surface) }
        return frame
    }

    // MARK: Going on

    /// The person has read the caption.
    private func advance() {
        guard isReady else { return }
        if !isPlayed, pending.isEmpty, !steps[index].commands.isEmpty {
            pending = steps[index].commands
            proceed(clock())
            return
        }
        guard pending.isEmpty, steps[index].isDone(application.state) else { return }
        next()
    }

    /// Whether the model is there.
    private var isReady: Bool { application.state.model != nil || index == 0 }

    private func proceed(_ now: Double) {
        if !pending.isEmpty {
            press(pending.removeFirst())
            isPlayed = pending.isEmpty
            nextAt = now + keyInterval
            isDirty = true
            if keyInterval == 0, !pending.isEmpty { proceed(now) }
            return
        }
        guard let pace, isReady, application.state.model != nil else { return }
        if !isPlayed, !steps[index].commands.isEmpty {
            pending = steps[index].commands
            nextAt = now + pace / 2
        } else if steps[index].isDone(application.state) {
            if isWaiting {
                isWaiting = false
                next()
                nextAt = now + pace / 2
            } else {
                isWaiting = true
                nextAt = now + pace
            }
        } else {
            nextAt = now + 0.1
        }
    }

    /// The stop is done and is looked at for a while.
    private var isWaiting = false

    private func next() {
        // Lists that a stop opened are left.
        while !application.state.overlays.isEmpty { application.send(.overlay(.close)) }
        isPlayed = false
        isDirty = true
        index += 1
        if index == steps.count {
            index = steps.count - 1
            end()
        }
    }

    private func end() {
        while !application.state.overlays.isEmpty { application.send(.overlay(.close)) }
        hasEnded = true
        pending = []
        isDirty = true
    }

    /// Presses the command's own key where it has one, so that the tour goes the person's way.
    private func press(_ command: Command) {
        if let key = application.state.bindings.firstKey(
            for: command, in: application.state.layout.focus)
        {
            application.handle(.key(key))
        } else {
            application.send(.command(command))
        }
    }

    // MARK: The caption

    private func caption(into surface: inout Surface) {
        let step = steps[index]
        let screen = surface.bounds
        let isASCII = application.state.options.usesASCIIBorders
        let theme = application.context(notes: FrameNotes()).theme
        let width = min(screen.width, 84)
        let lines = Popup.wrap(step.text, width: max(1, width - 4))
        let height = lines.count + 2
        guard screen.height >= height + 3, width >= 20 else { return }
        let rect = Rect(
            x: (screen.width - width) / 2, y: screen.height - 1 - height, width: width,
            height: height)
        let inside = Popup.draw(
            into: &surface, rect: rect, title: "Tour \(index + 1)/\(steps.count): \(step.title)",
            theme: theme, border: isASCII ? .ascii : .rounded)
        for (i, line) in lines.enumerated() {
            surface.put(
                line, x: inside.x, y: inside.y + i, width: inside.width, style: theme[.popup])
        }
        let hint = keysText(step)
        let hintWidth = CharacterWidth.of(hint)
        if hintWidth + 4 <= width {
            surface.put(
                hint, x: rect.maxX - hintWidth - 2, y: rect.maxY - 1,
                style: theme[.key, on: .popup])
        }
    }

    private func keysText(_ step: TourStep) -> String {
        if !pending.isEmpty { return " … " }
        if !step.isDone(application.state) { return " at work… " }
        if pace != nil { return "" }
        return step.commands.isEmpty || isPlayed
            ? " Space: next  Esc: leave " : " Space: do it  Esc: leave "
    }
}

// The application: events become actions, actions change the state, effects go to the workers.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// What `workbench` without a command shows.
///
/// It owns the state and the workers; the event loop (or a test) gives it events and takes frames.
public final class WorkbenchApplication: Application {
    private(set) var state: AppState
    /// The pictures on the screen; the event loop asks it for their bytes.
    public let pictures: PictureStore
    private let mailbox: Mailbox
    private let runner: EffectRunner
    private let themes: ThemeLibrary?
    private let log: Log
    private let clock: () -> Double
    /// The newest log entry that the state has.
    private var lastLogged = -1
    private let isColorForbidden: Bool
    private var theme: Theme
    private var requests: [TerminalRequest] = []
    private var notes = FrameNotes()
    private var drag = Drag.none
    public private(set) var needsDisplay = true
    private var hasChosenTheme: Bool
    private var hasAdvised = false
    private var watch: FileWatch?

    /// What the pressed button is doing.
    private enum Drag {
        case none
        case painting(CanvasArea)
        case scrubbing(passes: Int, Rect)
        case divider(Layout<LayoutSlot>.Divider)
        case panning(Rect, Point)
        /// The slider that turns the symmetry pane's input.
        case turning(Rect)
        case panningMask(Rect, Point)
        case columns(ColumnsArea)
    }

    /// Creates the application and begins to look for models.
    ///
    /// - Parameters:
    ///   - services: models and files.
    ///   - log: shown by the log pane, and written to.
    ///   - themes: where themes are found; nil uses the built-in one.
    ///   - options: from the command line.
    ///   - environment: read for `NO_COLOR`.
    ///   - clock: seconds, monotonic; the one that `tick` is called with.
    ///   - wake: wakes the event loop; called from any thread.
    public init(
        services: Services, log: Log = Log(), themes: ThemeLibrary? = nil,
        options: ApplicationOptions = ApplicationOptions(),
        environment: [String: String] = ProcessInfo.processInfo.environment,
        clock: @escaping () -> Double = { EventLoop.now },
        wake: @escaping @Sendable () -> Void
    ) {
        self.themes = themes
        self.log = log
        self.clock = clock
        isColorForbidden = !(environment["NO_COLOR"] ?? "").isEmpty
        pictures = PictureStore(
            encoder: options.encoder, niceness: options.niceness / 2, wake: wake)
        mailbox = Mailbox(wake: wake)
        runner = EffectRunner(
            services: services, mailbox: mailbox, log: log,
            sessions: options.stateFolder.map { SessionStore(folder: $0) },
            isMotionReduced: options.isMotionReduced, niceness: options.niceness)
        theme = .builtIn
        hasChosenTheme = options.themeName != nil
        state = AppState()
        // What is said here is to be seen for its time, not since the clock began.
        state.now = clock()
        state.options = options
        state.bindings = options.bindings
        state.isMouseOn = options.isMouseOn
        state.models.device = options.deviceName
        state.themes = themes?.names() ?? []
        state.themeName = options.themeName ?? "default-dark"
        setTheme(state.themeName)
        log.onChange(wake)
        tellProblems(options)
        watchFiles()
        runner.openSession()
        runner.run(.listModels)
        runner.run(.listTrainings)
        runner.run(.listDevices)
    }

    // MARK: Application

    public var isFinished: Bool { state.isFinished }
    public var wantsMouse: Bool { state.isMouseOn }

    public var nextDeadline: Double? {
        var deadlines: [Double] = []
        if let notice = state.notice { deadlines.append(notice.until) }
        if let since = state.session.dirtySince { deadlines.append(since + SessionState.delay) }
        if let turn = state.symmetryDeadline { deadlines.append(turn) }
        return deadlines.min()
    }

    public func handle(_ event: InputEvent) {
        switch event {
        case .key(let key): handle(key)
        case .mouse(let event): handle(event)
        case .paste(let text, _): send(.paste(text))
        case .resize(let size): send(.layout(.resized(size.cells)))
        case .focus, .reply: break
        }
    }

    public func tick(now: Double) {
        let noticeBefore = state.notice
        let eyeBefore = state.symmetry.eye
        perform(Reducer.reduce(&state, .tick(now)))
        if state.notice != noticeBefore || state.symmetry.eye != eyeBefore { needsDisplay = true }
        for action in mailbox.take() { send(action) }
        takeLog()
    }

    public func draw(size: CellSize) -> Frame {
        if state.layout.size != size { state.layout.size = size }
        notes = FrameNotes()
        let frame = Screen.draw(size: size, context: context(notes: notes))
        if let columns = notes.galleryColumns { state.gallery.columns = columns }
        needsDisplay = false
        return frame
    }

    /// What panes draw with now.
    func context(notes: FrameNotes) -> DrawContext {
        DrawContext(
            state: state, theme: theme.adapted(to: depth), pictures: pictures, notes: notes)
    }

    /// Whether something is loaded, made or waits to be made.
    public var isBusy: Bool {
        if case .loading = state.models.loading { return true }
        return !state.models.isListed || runner.hasPendingFiles
            || !state.jobs.isPaused && (state.jobs.hasUnfinished || state.runs.hasUnfinished)
    }

    public func takeRequests() -> [TerminalRequest] {
        let taken = requests
        requests = []
        return taken
    }

    public func terminalChanged(_ capabilities: Capabilities) {
        send(.terminal(capabilities))
        adviseOnPictures(capabilities)
        if !hasChosenTheme, capabilities.background != nil {
            let name = capabilities.isLightBackground ? "default-light" : "default-dark"
            if name != state.themeName, state.themes.contains(name) {
                state.themeName = name
                setTheme(name)
            }
        }
    }

    /// Says once how this terminal can show real pictures.
    private func adviseOnPictures(_ capabilities: Capabilities) {
        guard capabilities.isSettled, !hasAdvised, !capabilities.hasSixel,
            capabilities.name?.hasPrefix("XTerm") == true, state.options.images == nil
        else { return }
        hasAdvised = true
        send(
            .notice(
                .info, "Pictures are drawn with blocks: `xterm -ti vt340` shows real ones."))
    }

    public func willTerminate() {
        state.session.dirtySince = state.session.dirtySince ?? state.now
        perform(Reducer.saveLayout(&state) + Reducer.saveSession(&state))
        runner.shutDown(keepsSession: true)
    }

    /// Ends the workers after the loop has ended by the person's will.
    public func shutDown() {
        perform(Reducer.saveLayout(&state))
        runner.shutDown(keepsSession: false)
    }

    // MARK: Actions

    func send(_ action: Action) {
        // The loop ticks only when a timer is due: what is said now counts from now.
        state.now = max(state.now, clock())
        perform(Reducer.reduce(&state, action))
        needsDisplay = true
    }

    private func perform(_ effects: [Effect]) {
        for effect in effects {
            switch effect {
            case .terminal(let request): requests.append(request)
            case .setTheme(let name):
                hasChosenTheme = true
                setTheme(name)
            case .resizePane(let change): resizePane(change)
            case .reload(let paths): reload(paths)
            default: runner.run(effect)
            }
        }
    }

    private func setTheme(_ name: String) {
        guard let themes else { return }
        do {
            theme = try themes.theme(named: name)
            for warning in theme.warnings { log.warning("themes", "\(warning)") }
        } catch {
            let text = String(describing: error)
            log.error("themes", text)
            Reducer.notify(.error, text, &state)
            // At the start there is none to keep: the default one then, as if none had been named.
            if theme.sourceFiles.isEmpty, let standard = try? themes.theme(named: "default-dark") {
                theme = standard
                state.themeName = standard.name
                hasChosenTheme = false
            }
        }
        needsDisplay = true
    }

    /// Mistakes of the configuration go to the log; the first also to the status line.
    private func tellProblems(_ options: ApplicationOptions) {
        let problems = options.settingsProblems + options.bindings.conflicts.map(\.description)
        for problem in problems { log.warning("settings", problem) }
        guard let first = problems.first else { return }
        let more = problems.count > 1 ? " (\(problems.count) in all; see Log)" : ""
        Reducer.notify(.warning, first + more, &state)
    }

    // MARK: Files of the application itself

    private func watchFiles() {
        guard let themes else { return }
        var folders = themes.folders
        if let path = state.options.settingsPath {
            folders.append((path as NSString).deletingLastPathComponent)
        }
        watch = FileWatch(folders: folders) { [mailbox] in mailbox.post(.files(.changed($0))) }
    }

    private func reload(_ paths: [String]) {
        if let themes, paths.contains(where: { $0.hasSuffix(".toml") }) {
            send(.files(.themes(themes.names())))
            // The one in force, one it inherits from, or one that now stands before it.
            let own = "/\(state.themeName).toml"
            if paths.contains(where: { theme.sourceFiles.contains($0) || $0.hasSuffix(own) }) {
                setTheme(state.themeName)
            }
        }
        if let path = state.options.settingsPath, paths.contains(path) {
            send(.files(.settings(Settings(file: path))))
        }
    }

    private var depth: Capabilities.ColorDepth {
        isColorForbidden ? .none : state.terminal.colors
    }

    /// Gives the state what was logged since the last time, with the local time of day.
    private func takeLog() {
        let fresh = log.entries.filter { $0.id > lastLogged }
        guard let last = fresh.last else { return }
        lastLogged = last.id
        send(
            .log(
                .append(
                    fresh.map {
                        LogState.Line(
                            time: Self.timeOfDay($0.date), level: Self.level($0.level),
                            text: Self.text($0))
                    })))
    }

    private static func level(_ level: Log.Level) -> LogState.Line.Level {
        switch level {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }

    private static func text(_ entry: Log.Entry) -> String {
        entry.fields.reduce(entry.message) { $0 + " \($1.name)=\($1.value)" }
    }

    private static func timeOfDay(_ date: Date) -> String {
        let parts = Calendar.current.dateComponents([.hour, .minute, .second], from: date)
        func two(_ value: Int?) -> String {
            let text = String(value ?? 0)
            return text.count < 2 ? "0" + text : text
        }
        return "\(two(parts.hour)):\(two(parts.minute)):\(two(parts.second))"
    }

    // MARK: Keys

    private func handle(_ key: KeyPress) {
        let isGlobal =
            key == KeyPress("c", .control) || key == KeyPress("l", .control)
            || key == KeyPress("z", .control)
        if !isGlobal, !state.overlays.isEmpty || state.schedule.editing != nil {
            send(.key(key))
            return
        }
        if let command = state.bindings.command(for: key, in: state.layout.focus) {
            send(.command(command))
        }
    }

    // MARK: Mouse

    private func handle(_ event: MouseEvent) {
        switch event.kind {
        case .press: press(event)
        case .drag: drag(event)
        case .release:
            if case .painting = drag { send(.mask(.end)) }
            if case .columns = drag { send(.columns(.settle)) }
            drag = .none
        case .wheelUp, .wheelDown: wheel(event)
        case .motion, .wheelLeft, .wheelRight: break
        }
    }

    private func press(_ event: MouseEvent) {
        guard let target = notes.target(at: event.cell) else { return }
        if state.schedule.editing != nil { send(.key(KeyPress(.enter))) }
        switch target {
        case .canvas(let area):
            if state.layout.focus != .mask { send(.focus(.mask)) }
            if event.button == .middle {
                drag = .panningMask(area.rect, event.cell)
                return
            }
            let erases = event.button == .right || event.modifiers.contains(.alt)
            send(.mask(.begin(area.point(event), erases: erases)))
            drag = .painting(area)
            return
        case .columns(let area):
            guard let area else { return }
            drag = .columns(area)
            pull(event, area)
            return
        case .shade:
            send(.overlay(.close))
            return
        case .panel(let panel, let area):
            if let line = panel.line(at: event.cell, area: area) { send(.overlay(.choose(line))) }
            return
        case .menu(let menu, let point, let area):
            if let item = menu.item(at: event.cell, opened: point, in: area) {
                send(.overlay(.choose(item)))
            }
            return
        case .dialog(let dialog, let area):
            if let answer = dialog.answer(at: event.cell, area: area) {
                send(.overlay(.choose(answer)))
            }
            return
        default: break
        }
        if event.button == .right {
            if let pane = notes.pane(at: event.cell), state.overlays.isEmpty {
                send(.overlay(.menu(pane, event.cell)))
            }
            return
        }
        switch target {
        case .actions(let actions):
            for action in actions { send(action) }
        case .preview(let rect):
            send(.focus(.preview))
            drag = .panning(rect, event.cell)
        case .scrub(let passes, let rect):
            send(.focus(.preview))
            drag = .scrubbing(passes: passes, rect)
            scrub(event, passes: passes, rect)
        case .turn(let rect):
            send(.focus(.symmetry))
            drag = .turning(rect)
            turn(event, rect)
        case .pane(let pane): send(.focus(pane))
        case .divider(let divider):
            // Titles stand on borders: a click on one also means its pane.
            if let pane = notes.pane(at: event.cell) { send(.focus(pane)) }
            drag = .divider(divider)
        case .canvas, .panel, .menu, .dialog, .columns, .shade: break
        }
    }

    private func drag(_ event: MouseEvent) {
        switch drag {
        case .none: break
        case .painting(let area): send(.mask(.move(area.point(event))))
        case .scrubbing(let passes, let rect): scrub(event, passes: passes, rect)
        case .turning(let rect): turn(event, rect)
        case .panning(let rect, let last):
            guard state.preview.zoom > 1 else { return }
            let scale = 1 / Double(state.preview.zoom)
            send(
                .preview(
                    .pan(
                        x: -Double(event.cell.x - last.x) / Double(max(1, rect.width)) * scale,
                        y: -Double(event.cell.y - last.y) / Double(max(1, rect.height)) * scale)))
            drag = .panning(rect, event.cell)
        case .columns(let area): pull(event, area)
        case .panningMask(let rect, let last):
            send(
                .mask(
                    .pan(
                        x: -Double(event.cell.x - last.x) / Double(max(1, rect.width)),
                        y: -Double(event.cell.y - last.y) / Double(max(1, rect.height)))))
            drag = .panningMask(rect, event.cell)
        case .divider(let divider):
            let layout = ScreenLayout(state, size: state.layout.size)
            guard layout.arrangement.dividers.contains(where: { $0.axis == divider.axis }) else {
                return
            }
            var tree = layout.tree
            tree.drag(divider, to: event.cell, screen: state.layout.size, area: layout.area)
            send(.layout(.setTree(layout.form, tree)))
        }
    }

    private func pull(_ event: MouseEvent, _ area: ColumnsArea) {
        let (step, value) = area.entry(event, cell: state.terminal.cellSize)
        send(.columns(.drag(step: step, value: value)))
    }

    private func scrub(_ event: MouseEvent, passes: Int, _ rect: Rect) {
        let offset = max(0, min(rect.width - 1, event.cell.x - rect.x))
        let pass = rect.width == passes ? offset : offset * passes / max(1, rect.width)
        send(.preview(.scrub(to: pass)))
    }

    /// The slider's ends are half a turn to either side.
    private func turn(_ event: MouseEvent, _ rect: Rect) {
        let offset = max(0, min(rect.width - 1, event.cell.x - rect.x))
        let share = Double(offset) / Double(max(1, rect.width - 1))
        send(.symmetry(.rotate(to: (360 * share - 180).rounded())))
    }

    private func wheel(_ event: MouseEvent) {
        let steps = event.kind == .wheelUp ? -1 : 1
        if !state.overlays.isEmpty {
            send(.overlay(.scroll(steps)))
            return
        }
        if case .canvas = notes.target(at: event.cell) {
            if event.modifiers.contains(.control) {
                send(.mask(.zoom(-steps)))
            } else {
                send(.command(steps < 0 ? .sizeUp : .sizeDown))
            }
            return
        }
        // The pane under the pointer scrolls; the focus stays where it is.
        guard let pane = notes.pane(at: event.cell) else { return }
        switch pane {
        case .models: send(.models(.scrollCard(steps * 3)))
        case .schedule:
            send(.schedule(.scroll(steps * 2)))
        case .preview:
            switch state.preview.view {
            case .gallery, .branches: send(.preview(.browse(steps)))
            case .picture, .scales, .grid, .compare, .pair: send(.preview(.zoom(-steps)))
            }
        case .mask: break
        case .tokens: send(.command(steps > 0 ? .nextScale : .previousScale))
        case .jobs: send(.jobs(.select(state.jobs.selected + steps)))
        case .log: send(.log(.scroll(-steps * 3)))
        case .symmetry: send(.symmetry(.scrollList(steps)))
        case .train:
            send(
                state.train.view == .table
                    ? .train(.scroll(steps * 3)) : .train(.select(state.train.selected + steps)))
        }
    }
}

// The application line by line: for screen readers, simple terminals and scripts.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// A dialogue over the same state, commands and workers as the full screen.
///
/// A line is the name of a command, of a pane or of a key, with an argument where the command asks
/// for something. What changes is told in sentences; nothing moves a cursor.
public final class PlainDialogue {
    let application: WorkbenchApplication
    private let say: (String) -> Void
    private var heard: Heard
    /// Seconds between reports of progress.
    private static let progressInterval = 2.0

    /// What has been told already.
    private struct Heard {
        var notice: Notice?
        var focus: PaneID?
        var overlay: Overlay?
        var isEditing = false
        var runs: [Int: Run.State] = [:]
        var model: String?
        var pane: PaneText?
        var progressAt = 0.0
    }

    /// - Parameter say: prints one line.
    public init(application: WorkbenchApplication, say: @escaping (String) -> Void) {
        self.application = application
        self.say = say
        heard = Heard()
        heard.focus = application.state.layout.focus
    }

    public var isFinished: Bool { application.isFinished }

    /// What is said first.
    public func begin() {
        say("Workbench \(Version.current), line by line.")
        say("Type a command and Enter; help lists the commands here, commands lists all.")
        say("An empty line says where you are. quit ends.")
        tell(isAnswer: false)
    }

    /// Takes what the workers left and tells it.
    public func tick(now: Double) {
        application.tick(now: now)
        tell(isAnswer: false)
    }

    /// Ctrl-C: cancels the running job; twice within a second ends.
    public func interrupt() {
        application.send(.command(.cancelRunning))
        tell(isAnswer: false)
    }

    /// Takes one line.
    public func take(_ line: String) {
        let text = line.trimmed
        heard.pane = application.paneText()
        if !application.state.overlays.isEmpty {
            answer(text)
        } else if application.state.schedule.editing != nil {
            type(text)
        } else {
            perform(text)
        }
        tell(isAnswer: true)
    }

    // MARK: Lines

    private func perform(_ text: String) {
        guard !text.isEmpty else { return describe() }
        let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
        let word = parts[0].lowercased()
        let argument = parts.count > 1 ? parts[1].trimmed : ""
        switch word {
        case "help", "?": return help()
        case "commands": return say(KeySheet.commandList())
        case "where", "describe": return describe()
        case "picture": return describePicture()
        case "row": return setRow(argument)
        case "box", "ellipse", "dab": return paint(word, argument)
        default: break
        }
        if let pane = PaneID.allCases.first(where: { $0.name == word || "\($0.rawValue)" == word })
        {
            application.send(.focus(pane))
            return
        }
        if let field = Self.fields[word], !argument.isEmpty {
            application.send(.schedule(.beginEdit(field)))
            if application.state.schedule.editing != nil { type(argument) }
            return
        }
        guard let command = command(word) else { return refuse(word) }
        if command == .quit, !argument.isEmpty { return refuse(text) }
        application.send(.command(command))
        // The argument answers what the command asked.
        if !argument.isEmpty {
            if !application.state.overlays.isEmpty {
                answer(argument)
                leaveUnfittingList(word, argument)
            } else if application.state.schedule.editing != nil {
                type(argument)
            }
        }
    }

    /// An argument that nothing in a list fits is refused; the list does not stay open behind it.
    private func leaveUnfittingList(_ word: String, _ argument: String) {
        guard let top = application.state.overlays.last, top == heard.overlay else { return }
        switch top {
        case .prompt, .question, .menu: return
        default:
            application.send(.overlay(.close))
            heard.overlay = nil
            say("\(word) alone lists what there is.")
        }
    }

    private static let fields: [String: ScheduleField] = [
        "seed": .seed, "cfg": .cfg, "top-k": .topK, "top-p": .topP, "count": .count,
    ]

    private static let shortNames: [String: Command] = [
        "open": .openPicture, "save": .savePicture, "class": .chooseClass, "load": .loadModel,
        "again": .runAgain, "stop": .cancelRunning, "cancel": .cancelRunning, "up": .moveUp,
        "down": .moveDown, "left": .moveLeft, "right": .moveRight, "more": .increase,
        "less": .decrease, "copy": .copyCommand, "next": .nextPane,
    ]

    /// A command by its name, a short name, a beginning that fits only one, or a key of the pane.
    private func command(_ word: String) -> Command? {
        if let exact = Command(name: word) ?? Self.shortNames[word] { return exact }
        if let key = KeyPress(word),
            let bound = application.state.bindings.command(
                for: key, in: application.state.layout.focus)
        {
            return bound
        }
        let fitting = Command.allCases.filter { $0.name.hasPrefix(word) }
        return fitting.count == 1 ? fitting[0] : nil
    }

    private func refuse(_ word: String) {
        let names =
            Command.allCases.map(\.name) + Array(Self.shortNames.keys.sorted())
            + PaneID.allCases.map(\.name)
        let fitting = names.filter { $0.hasPrefix(word) }
        if fitting.count > 1 {
            say("\(word) could be \(fitting.joined(separator: ", ")).")
        } else {
            let hint = nearestName(to: word, among: names).map { " Did you mean \($0)?" } ?? ""
            say("There is no command \(word).\(hint)")
        }
    }

    private func setRow(_ argument: String) {
        let parts = argument.split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2, let scale = Int(parts[0]),
            application.state.schedule.values.rows.indices.contains(scale)
        else {
            return say("row SCALE ENTRIES, for example: row 2 3 6. Scales count from 0.")
        }
        application.send(.schedule(.select(.row(scale))))
        application.send(.schedule(.setText(scale: scale, parts[1])))
        if let reason = application.state.schedule.values.rows[scale].reason { say(reason) }
    }

    private func paint(_ shape: String, _ argument: String) {
        let numbers = argument.split(separator: " ").compactMap { Int($0) }
        guard numbers.count == (shape == "dab" ? 2 : 4) else {
            return say(
                shape == "dab"
                    ? "dab X Y, in pixels." : "\(shape) LEFT TOP RIGHT BOTTOM, in pixels.")
        }
        let from = MaskPoint(x: numbers[0], y: numbers[1])
        let to = numbers.count == 4 ? MaskPoint(x: numbers[2], y: numbers[3]) : from
        if application.state.layout.focus != .mask { application.send(.focus(.mask)) }
        guard let mask = application.state.mask.mask else {
            return say(
                "There is no picture to paint on. edit-picture in the preview takes the one shown, "
                    + "open FILE one of yours.")
        }
        guard max(from.x, to.x) >= 0, max(from.y, to.y) >= 0,
            min(from.x, to.x) < mask.width, min(from.y, to.y) < mask.height
        else {
            return say("That is outside of the picture of \(mask.width) by \(mask.height) pixels.")
        }
        let tool = application.state.mask.tool
        let wanted: MaskTool =
            shape == "box"
            ? .box : shape == "ellipse" ? .ellipse : tool == .eraser ? .eraser : .brush
        application.send(.mask(.setTool(wanted)))
        application.send(.mask(.begin(from, erases: false)))
        application.send(.mask(.move(to)))
        application.send(.mask(.end))
        application.send(.mask(.setTool(tool)))
    }

    // MARK: Questions

    /// A line while something is asked.
    private func answer(_ text: String) {
        guard let top = application.state.overlays.last else { return }
        switch top {
        case .prompt(_, let entry, _):
            if text.isEmpty, entry.text.isEmpty {
                application.send(.overlay(.close))
            } else {
                if !text.isEmpty { replaceText(text) }
                application.send(.key(KeyPress(.enter)))
            }
        case .question, .menu:
            if let index = choice(text, of: top) {
                application.send(.overlay(.choose(index)))
            } else if text.isEmpty {
                application.send(.overlay(.close))
            } else {
                say("Type the number or the first letter of an answer.")
            }
        default:
            if text.isEmpty {
                application.send(.overlay(.close))
            } else if let number = Int(text), case .classes = top {
                // Class names may be numbers themselves: they win over the list's numbers.
                chooseClass(number)
            } else if let number = Int(text) {
                application.send(.overlay(.choose(number - 1)))
            } else {
                narrow(to: text)
            }
        }
    }

    /// Chooses what alone fits; where nothing does, a command leaves the list.
    private func narrow(to text: String) {
        replaceText(text)
        guard let narrowed = application.state.overlays.last else { return }
        let count = application.state.lineCount(of: narrowed)
        if count == 1 {
            application.send(.overlay(.choose(0)))
            if case .classes = narrowed { sayClass() }
            return
        }
        guard count == 0 else { return }
        let word = text.split(separator: " ").first.map { $0.lowercased() } ?? text
        if Command(name: word) != nil || Self.shortNames[word] != nil {
            application.send(.overlay(.close))
            return perform(text)
        }
        replaceText("")
        heard.overlay = application.state.overlays.last
        say("Nothing fits \(text). Type a number, other letters, or an empty line to leave.")
    }

    private func chooseClass(_ number: Int) {
        application.send(.overlay(.close))
        let count = application.state.model?.geometry.classes.count ?? 0
        guard (0..<count).contains(number) else {
            return say("Classes are 0 to \(count - 1).")
        }
        application.send(.schedule(.setClass(number)))
        sayClass()
    }

    private func sayClass() {
        let label = application.state.schedule.values.classLabel
        say("Class \(application.state.model?.className(label) ?? "").")
    }

    private func choice(_ text: String, of overlay: Overlay) -> Int? {
        if let number = Int(text) {
            return (1...max(1, application.state.lineCount(of: overlay))).contains(number)
                ? number - 1 : nil
        }
        guard case .question(let question) = overlay, !text.isEmpty else { return nil }
        return question.answers.firstIndex { $0.lowercased().hasPrefix(text.lowercased()) }
    }

    private func type(_ text: String) {
        guard !text.isEmpty else { return application.send(.key(KeyPress(.escape))) }
        replaceText(text)
        application.send(.key(KeyPress(.enter)))
        // Refused: the reason was told; the old value stays.
        if application.state.schedule.editing != nil { application.send(.key(KeyPress(.escape))) }
    }

    private func replaceText(_ text: String) {
        application.send(.key(KeyPress(.end)))
        application.send(.key(KeyPress("u", .control)))
        application.send(.paste(text))
    }

    // MARK: Telling

    /// Tells what has changed since the last time.
    private func tell(isAnswer: Bool) {
        let state = application.state
        if state.model?.card.name != heard.model {
            heard.model = state.model?.card.name
        }
        if state.layout.focus != heard.focus {
            heard.focus = state.layout.focus
            say("\(state.layout.focus.title) pane.")
            heard.pane = nil
        }
        tellNotice(state)
        tellRuns(state)
        tellProgress(state)
        if isAnswer, state.overlays.isEmpty, state.schedule.editing == nil { tellPane() }
        if state.overlays.last != heard.overlay {
            heard.overlay = state.overlays.last
            if let top = state.overlays.last { tellOverlay(top, state) }
        }
        if (state.schedule.editing != nil) != heard.isEditing {
            heard.isEditing = state.schedule.editing != nil
            if let editing = state.schedule.editing {
                say("Now \(editing.entry.text). Type the new value, or an empty line to keep it.")
            }
        }
    }

    private func tellNotice(_ state: AppState) {
        guard state.notice != heard.notice else { return }
        heard.notice = state.notice
        guard let notice = state.notice else { return }
        switch notice.level {
        case .info: say(notice.text)
        case .warning: say("Warning: \(notice.text)")
        case .error: say("Error: \(notice.text)")
        }
    }

    private func tellRuns(_ state: AppState) {
        tellKept(state)
        for run in state.runs.runs where heard.runs[run.id] != run.state {
            heard.runs[run.id] = run.state
            let name = "Run \(run.id), \(state.title(of: run))"
            switch run.state {
            case .waiting: say("\(name): waits.")
            case .running:
                say("\(name): started, \(run.passCount) passes.")
                heard.progressAt = state.now
            case .done:
                say("\(name): done, \(run.passCount) passes.")
                for (index, image) in run.images.enumerated() {
                    let label = run.images.count > 1 ? "Picture \(index + 1): " : "Picture: "
                    say(label + PictureDescription.sentence(image))
                }
            case .cancelled: say("\(name): cancelled.")
            case .failed(let reason): say("\(name): failed. \(reason)")
            }
        }
    }

    /// Pictures that were there before the program started: how many, not each of them.
    private func tellKept(_ state: AppState) {
        let kept = state.runs.runs.filter { $0.id < 0 && heard.runs[$0.id] == nil }
        guard !kept.isEmpty else { return }
        for run in kept { heard.runs[run.id] = run.state }
        say(
            kept.count == 1
                ? "One picture from before is in the gallery."
                : "\(kept.count) pictures from before are in the gallery.")
    }

    private func tellProgress(_ state: AppState) {
        guard let job = state.jobs.running, job.total > 0, job.step > 0,
            state.now - heard.progressAt >= Self.progressInterval
        else { return }
        heard.progressAt = state.now
        var text = "\(job.title): step \(job.step) of \(job.total)"
        if let remaining = job.remaining, !state.options.isDeterministic {
            text += ", about \(Int(remaining.rounded(.up))) seconds left"
        }
        say(text + ".")
    }

    /// The lines of the pane that are not as they were, and the item in focus if it is another.
    private func tellPane() {
        let now = application.paneText()
        defer { heard.pane = now }
        guard let before = heard.pane else { return }
        let old = Set(before.lines)
        for line in now.lines.filter({ !old.contains($0) }).prefix(12) { say(line) }
        if let item = now.item, item != before.item, old.contains(item) { say(item) }
    }

    private func tellOverlay(_ overlay: Overlay, _ state: AppState) {
        switch overlay {
        case .prompt(let kind, let entry, let problem):
            if let problem { say(problem) }
            let rest =
                entry.text.isEmpty
                ? "Type it, or an empty line to leave."
                : "Type it, or an empty line for \(entry.text)."
            say("\(kind.title). \(rest)")
        case .question(let question):
            say("\(question.title) \(question.text)")
            for (i, answer) in question.answers.enumerated() { say("\(i + 1): \(answer)") }
        default:
            let lines = application.overlayLines(overlay)
            for (i, line) in lines.prefix(40).enumerated() { say("\(i + 1): \(line)") }
            let more = lines.count > 40 ? "\(lines.count) in all. " : ""
            say(more + "Type a number to choose, letters to narrow, an empty line to leave.")
        }
    }

    // MARK: Describing

    private func describe() {
        let state = application.state
        let model = state.model?.card.name ?? "none"
        say("\(state.layout.focus.title) pane. Model: \(model).")
        let text = application.paneText()
        for line in text.lines { say(line) }
        if let item = text.item { say("In focus: \(item)") }
        heard.pane = text
    }

    private func describePicture() {
        let state = application.state
        if state.layout.focus == .mask, let source = state.mask.source {
            say("Picture to edit, \(state.mask.sourceName): " + PictureDescription.sentence(source))
            if let mask = state.mask.mask { say(PictureDescription.sentence(mask)) }
            if let result = state.mask.result {
                say("Result: " + PictureDescription.sentence(result))
            }
            return
        }
        guard let image = state.shownPicture else { return say("There is no picture yet.") }
        say("Picture: " + PictureDescription.sentence(image))
    }

    private func help() {
        let state = application.state
        let pane = state.layout.focus
        say("In \(pane.title):")
        for command in state.bindings.commands(in: .pane(pane)) {
            say("  \(command.name): \(state.bindings.title(of: command, in: .pane(pane)))")
        }
        say(
            "Everywhere: the names of panes (\(PaneID.allCases.map(\.name).joined(separator: ", "))),"
        )
        say("  seed, cfg, top-k, top-p, count with a value, class NAME, row SCALE ENTRIES,")
        say("  box or ellipse LEFT TOP RIGHT BOTTOM, dab X Y, open FILE, save FILE, picture,")
        say("  generate, run-new-seed, undo, redo, copy-command, quit. commands lists all.")
    }
}

// Carries out what the reducer asks for, on worker threads.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Runs effects; the news comes back through the mailbox.
nonisolated final class EffectRunner: @unchecked Sendable {
    private let services: Services
    private let mailbox: Mailbox
    private let controls = ControlTable()
    private let model = LoadedModelBox()
    private let symmetry: SymmetryWorker
    private let sessions: SessionStore?
    private let log: Log
    /// Files are read and written one at a time, in the order asked for.
    private let files = DispatchQueue(label: "files", qos: .utility)
    private let pending = PendingFiles()
    /// Whether pictures are shown only when they are done.
    private let isMotionReduced: Bool
    private let trainings: TrainingWatcher?
    let queue: JobQueue

    init(
        services: Services, mailbox: Mailbox, log: Log, sessions: SessionStore? = nil,
        isMotionReduced: Bool = false, niceness: Int32 = 0
    ) {
        self.isMotionReduced = isMotionReduced
        self.services = services
        self.log = log
        self.mailbox = mailbox
        self.sessions = sessions
        symmetry = SymmetryWorker(niceness: niceness) { mailbox.post(.symmetry($0)) }
        trainings = services.trainings.map { TrainingWatcher(trainings: $0, mailbox: mailbox) }
        let changed = JobsChange()
        queue = JobQueue(niceness: niceness) { changed.notify() }
        let queue = queue
        changed.connect { [weak queue] in
            guard let queue else { return }
            mailbox.post(.jobs(.changed(queue.jobs, isPaused: queue.isPaused)))
        }
    }

    /// Opens the session file; says whether it may be written and what was left behind.
    func openSession() {
        guard let sessions else {
            mailbox.post(.session(.firstSteps([])))
            return
        }
        files.async { [mailbox] in
            let opening = sessions.open()
            mailbox.post(.session(.firstSteps(sessions.firstSteps())))
            mailbox.post(.session(.layout(sessions.layout())))
            let pictures = sessions.readGallery()
            if !pictures.isEmpty { mailbox.post(.session(.gallery(pictures))) }
            switch opening {
            case .fresh(let queue):
                mailbox.post(.session(.opened(recovered: nil, queue: queue)))
            case .leftBehind(let snapshot, let queue):
                mailbox.post(.session(.opened(recovered: snapshot, queue: queue)))
            case .held(let reason): mailbox.post(.session(.readOnly(reason)))
            }
        }
    }

    /// Ends all work. A session that ended properly leaves nothing to recover.
    func shutDown(keepsSession: Bool) {
        queue.shutDown()
        symmetry.shutDown()
        files.sync { sessions?.close(keepsSession: keepsSession) }
    }

    /// Whether files are being read or written.
    var hasPendingFiles: Bool { pending.isBusy }

    func run(_ effect: Effect) {
        switch effect {
        case .listModels:
            files.async { [services, mailbox] in
                let found = services.listModels()
                mailbox.post(
                    .symmetry(.listed(found.entries.filter(services.isSymmetryModel))))
                mailbox.post(.models(.listed(found.entries, problems: found.problems)))
            }
        case .loadModel(let entry, let device): load(entry, device: device)
        case .listDevices:
            files.async { [services, mailbox] in
                let found = services.listDevices()
                mailbox.post(.models(.devices(found.devices, problem: found.problem)))
            }
        case .listTrainings: trainings?.list()
        case .startTraining(let request): trainings?.start(request)
        case .sendTraining(let command, let folder): trainings?.send(command, to: folder)
        case .followTraining(let folder): trainings?.follow(folder)
        case .loadTrainingPicture(let folder, let sample): trainings?.read(sample, of: folder)
        case .exportTraining(let export, let folder, let overwrites):
            files.async { [services, mailbox] in
                do {
                    let written = try export.write(
                        overwrites: overwrites, to: Self.expanded(export.base),
                        with: services.writeFile)
                    guard let written else {
                        mailbox.post(
                            .file(.exists(.trainingExport(folder: folder), path: export.base)))
                        return
                    }
                    mailbox.post(
                        .notice(
                            .info,
                            "Wrote \(written.count) files: \(export.base).csv, .json and pictures.")
                    )
                } catch {
                    mailbox.post(.file(.failed(String(describing: error))))
                }
            }
        case .unloadModel:
            model.set(nil, on: CPUDevice.shared)
            mailbox.post(.models(.unloaded))
        case .sample(let run, let title, let request): sample(run, title, request)
        case .edit(let run, let title, let request): edit(run, title, request)
        case .setRow(let run, let row, let scale): controls.setRow(row, scale: scale, run: run)
        case .setPaused(let run, let value): controls.setPaused(value, run: run)
        case .step(let run): controls.step(run: run)
        case .cancelRun(let run):
            if let job = controls.cancel(run: run) { queue.cancel(job) }
        case .cancelJob(let id): queue.cancel(id)
        case .moveJob(let id, let offset): queue.move(id, by: offset)
        case .pauseQueue(let value): queue.setPaused(value)
        case .clearFinishedJobs: queue.clearFinished()
        case .removeJob(let id): queue.remove(id)
        case .openPicture, .openRecipe, .importMask, .writeMask, .savePicture: file(effect)
        case .saveFirstSteps(let taken):
            // Lost steps are shown once more; that is no reason to complain.
            files.async { [sessions] in try? sessions?.write(firstSteps: taken) }
        case .saveLayout(let weights):
            // Dividers stand where they always stood then; no reason to complain either.
            files.async { [sessions] in try? sessions?.write(layout: weights) }
        case .saveGallery(let runs):
            files.async { [sessions, mailbox] in
                do {
                    try sessions?.write(gallery: runs)
                    mailbox.post(.session(.keptGallery))
                } catch {
                    mailbox.post(.session(.lostGallery("The gallery was not saved: \(error)")))
                }
            }
        case .saveQueue(let runs):
            files.async { [sessions, mailbox] in
                do {
                    try sessions?.write(queue: runs)
                } catch {
                    mailbox.post(.file(.failed("The queue was not saved: \(error)")))
                }
            }
        case .saveSession(let snapshot):
            files.async { [sessions, mailbox] in
                do {
                    try sessions?.write(snapshot)
                    mailbox.post(.session(.written))
                } catch {
                    mailbox.post(.file(.failed("The session was not saved: \(error)")))
                }
            }
        case .log(let level, let text):
            switch level {
            case .debug: log.debug("application", text)
            case .info: log.info("application", text)
            case .warning: log.warning("application", text)
            case .error: log.error("application", text)
            }
        case .symmetry(let effect): run(effect)
        case .terminal, .setTheme, .reload, .resizePane: break
        }
    }

    // MARK: Models

    private func load(_ entry: ModelEntry, device name: String) {
        queue.submit("Load \(entry.card.name)") { [services, mailbox, model] handle in
            do {
                let device = try services.device(name)
                if let notice = device.firstUseNotice { mailbox.post(.notice(.info, notice)) }
                let loaded = try withDevice(device) {
                    try services.loadModel(entry, handle.cancellation)
                }
                try device.throwPendingError()
                guard let facts = LoadedModelFacts(loaded) else {
                    let reason = "it offers nothing that this program can show yet."
                    mailbox.post(.models(.failed(entry.card.name, reason: reason)))
                    return
                }
                model.set(loaded, on: device)
                mailbox.post(.models(.loaded(facts, device: name)))
                let found = services.listDevices()
                mailbox.post(.models(.devices(found.devices, problem: found.problem)))
            } catch is CancellationError {
                mailbox.post(.models(.failed(entry.card.name, reason: "cancelled.")))
                throw CancellationError()
            } catch {
                mailbox.post(
                    .models(.failed(entry.card.name, reason: String(describing: error))))
                throw error
            }
        }
    }

    // MARK: Symmetry

    private func run(_ effect: SymmetryEffect) {
        switch effect {
        case .load(let side, let entry):
            queue.submit("Load \(entry.card.name)") { [services, mailbox, symmetry] handle in
                do {
                    let loaded = try services.loadModel(entry, handle.cancellation)
                    guard let model = loaded as? any SymmetryDiscovering else {
                        throw RunProblem.cannot("find symmetries")
                    }
                    symmetry.setModel(model, side: side)
                    mailbox.post(.symmetry(.loaded(side, SymmetryModelFacts(model))))
                } catch {
                    mailbox.post(.symmetry(.openFailed(side, "\(entry.card.name): \(error)")))
                    throw error
                }
            }
        case .open(let side, let source): open(side, source)
        case .ask(let question): symmetry.ask(question)
        case .table(let side, let ticket, let settings):
            symmetry.table(side: side, ticket: ticket, settings: settings)
        case .add(let image, let name): symmetry.add(image, name: name)
        case .closeSide(let side): symmetry.close(side)
        case .export(let export, let overwrites):
            files.async { [services, mailbox] in
                do {
                    let base = Self.expanded(export.base)
                    let written = try export.write(
                        base: base, overwrites: overwrites, with: services.writeFile)
                    guard let written else {
                        mailbox.post(.file(.exists(.symmetryExport, path: export.base)))
                        return
                    }
                    mailbox.post(.symmetry(.exported(written)))
                } catch {
                    mailbox.post(.file(.failed(String(describing: error))))
                }
            }
        }
    }

    /// Opening a set is a job: it can take a while and can be cancelled.
    private func open(_ side: SymmetrySide, _ source: SymmetrySource) {
        guard let model = symmetry.model(side) else { return }
        queue.submit("Embed the inputs of \(model.card.name)") { [mailbox, symmetry] handle in
            do {
                let session = try model.openSymmetry(
                    source, cancellation: handle.cancellation,
                    progress: { handle.progress($0, of: $1, phase: $2) })
                try handle.cancellation.check()
                symmetry.setSession(session, side: side)
                let facts = SymmetryFacts(session, model: model.card.name, source: source)
                mailbox.post(.symmetry(.opened(side, facts)))
            } catch is CancellationError {
                mailbox.post(.symmetry(.openFailed(side, "The set was not opened: cancelled.")))
                throw CancellationError()
            } catch {
                mailbox.post(.symmetry(.openFailed(side, String(describing: error))))
                throw error
            }
        }
    }

    // MARK: Runs

    private func sample(_ run: Int, _ title: String, _ request: SamplingRequest) {
        let shown = ShownScales()
        start(run, title, shown: shown) { [mailbox, queue, isMotionReduced] model, control in
            guard let sampling = model as? any ImageSampling else {
                throw RunProblem.cannot("generate pictures")
            }
            let result = try sampling.sample(request, control: control)
            mailbox.post(.run(.sampled(run, result)))
            guard !isMotionReduced, result.tokens.count == 1 else { return }
            let missing = result.schedule.patchNums.indices.dropLast().filter {
                !shown.contains($0)
            }
            let pictures = Self.pictures(of: missing, result, model) {
                control.cancellation.isCancelled || queue.jobs.contains { $0.state == .queued }
            }
            mailbox.post(.run(.scalePictures(run, pictures)))
        }
    }

    /// Decodes the pictures after scales that were not shown on the way.
    ///
    /// Large models make pictures only as often as a person can see them; the true state after each
    /// scale follows from the tokens. Ends early when somebody else wants the model.
    private static func pictures(
        of scales: [Int], _ result: SamplingResult, _ model: any LoadedModel,
        isWantedElsewhere: () -> Bool
    ) -> [Int: [RGBImage]] {
        guard let tokenizing = model as? any ImageTokenizing else { return [:] }
        var pictures: [Int: [RGBImage]] = [:]
        for scale in scales {
            if isWantedElsewhere() { break }
            let images = result.tokens.compactMap {
                try? tokenizing.decode($0, throughScale: scale)
            }
            if images.count == result.tokens.count { pictures[scale] = images }
        }
        return pictures
    }

    private func edit(_ run: Int, _ title: String, _ request: EditRequest) {
        start(run, title) { [mailbox] model, control in
            guard let editing = model as? any ImageEditing else {
                throw RunProblem.cannot("edit pictures")
            }
            let result = try editing.edit(request, control: control)
            mailbox.post(.run(.edited(run, result)))
        }
    }

    private func start(
        _ run: Int, _ title: String, shown: ShownScales? = nil,
        work: @escaping @Sendable (any LoadedModel, SamplingControl) throws -> Void
    ) {
        controls.add(run: run)
        let job = queue.submit(title) { [mailbox, model, controls, isMotionReduced] handle in
            defer { controls.end(run: run) }
            do {
                guard let (loaded, device) = model.get() else { throw RunProblem.noModel }
                let side = (loaded as? any ImageSampling)?.geometry.imageSize ?? 0
                let throttle = PreviewThrottle(side: side)
                let control = SamplingControl(
                    cancellation: handle.cancellation,
                    previewWanted: { !isMotionReduced && throttle.isDue },
                    observer: { report in
                        handle.progress(
                            report.pass, of: report.passCount, phase: Self.phase(report))
                        shown?.note(report)
                        mailbox.post(.run(.pass(run, report)))
                    })
                controls.begin(run: run, control: control)
                mailbox.post(.run(.started(run)))
                try withDevice(device) {
                    try work(loaded, control)
                    try device.throwPendingError()
                }
            } catch is CancellationError {
                mailbox.post(.run(.cancelled(run)))
                throw CancellationError()
            } catch {
                mailbox.post(.run(.failed(run, reason: String(describing: error))))
                throw error
            }
        }
        mailbox.post(.run(.queued(run, job: job)))
        if controls.setJob(job, run: run) { queue.cancel(job) }
    }

    private static func phase(_ report: PassReport) -> String {
        let scale = "scale \(report.scale + 1) of \(report.scaleCount)"
        return report.step == 0 ? scale : scale + ", mask step \(report.step)"
    }

    // MARK: Files

    private func file(_ effect: Effect) {
        pending.begin()
        files.async { [services, mailbox, pending] in
            defer { pending.end() }
            do {
                switch effect {
                case .openPicture(let path, let side):
                    let full = Self.expanded(path)
                    let (image, notice) = try services.openPicture(full, side)
                    mailbox.post(.mask(.opened(image, path: full, notice: notice)))
                case .openRecipe(let path):
                    let full = Self.expanded(path)
                    let (recipe, picture) = try services.openRecipe(full)
                    mailbox.post(
                        .file(
                            .recipe(
                                OpenedRecipe(
                                    recipe: recipe, edit: try recipe.editRequest(),
                                    picture: picture, path: full))))
                case .importMask(let path, let side):
                    let full = Self.expanded(path)
                    let mask = try services.importMask(full).fitted(side: side)
                    mailbox.post(
                        .mask(.imported(mask, name: (full as NSString).lastPathComponent)))
                case .writeMask(let mask, let path, let overwrites):
                    let full = Self.expanded(path)
                    if !overwrites, FileManager.default.fileExists(atPath: full) {
                        mailbox.post(.file(.exists(.writeMask, path: path)))
                        return
                    }
                    try services.writeMask(mask, full)
                    mailbox.post(.file(.maskWritten(path: path)))
                case .savePicture(let image, let recipe, let path, let run, let overwrites):
                    let full = Self.expanded(path)
                    if !overwrites, FileManager.default.fileExists(atPath: full) {
                        mailbox.post(.file(.exists(.savePicture(run), path: path)))
                        return
                    }
                    try services.writePicture(image, recipe, full)
                    mailbox.post(.file(.pictureSaved(path: path, run: run)))
                default: break
                }
            } catch {
                mailbox.post(.file(.failed(String(describing: error))))
            }
        }
    }

    private static func expanded(_ path: String) -> String {
        HomeFolder.expandingTilde(path)
    }
}

/// What keeps a run from starting.
nonisolated enum RunProblem: Error, CustomStringConvertible {
    case noModel
    case cannot(String)

    var description: String {
        switch self {
        case .noModel: "No model is loaded; choose one in Models (1) and press Enter."
        case .cannot(let what): "This model cannot \(what); choose another in Models (1)."
        }
    }
}

/// How many files are being read or written.
nonisolated private final class PendingFiles: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0

    var isBusy: Bool { lock.withLock { count > 0 } }
    func begin() { lock.withLock { count += 1 } }
    func end() { lock.withLock { count -= 1 } }
}

/// The model in memory, shared by the main thread and the worker.
nonisolated private final class LoadedModelBox: @unchecked Sendable {
    private let lock = NSLock()
    private var model: (any LoadedModel)?
    private var device: any Device = CPUDevice.shared

    /// The model and the device that it computes on.
    func get() -> (model: any LoadedModel, device: any Device)? {
        lock.withLock { model.map { ($0, device) } }
    }

    func set(_ value: (any LoadedModel)?, on device: any Device) {
        lock.withLock {
            model = value
            self.device = device
        }
    }
}

/// Lets the job queue's call-back reach the queue itself.
nonisolated private final class JobsChange: @unchecked Sendable {
    private let lock = NSLock()
    private var action: (@Sendable () -> Void)?

    func connect(_ action: @escaping @Sendable () -> Void) {
        lock.withLock { self.action = action }
    }
    func notify() { lock.withLock { action }?() }
}

/// The scales whose last pass came with a picture.
nonisolated private final class ShownScales: @unchecked Sendable {
    private let lock = NSLock()
    private var scales: Set<Int> = []

    func note(_ report: PassReport) {
        guard report.completesScale, !report.previews.isEmpty else { return }
        lock.withLock { _ = scales.insert(report.scale) }
    }

    func contains(_ scale: Int) -> Bool { lock.withLock { scales.contains(scale) } }
}

/// Asks for at most twenty previews a second; for small pictures, after every pass.
nonisolated private final class PreviewThrottle: @unchecked Sendable {
    private let lock = NSLock()
    private var last = -1.0
    private let isSmall: Bool

    init(side: Int) { isSmall = side <= 64 }

    var isDue: Bool {
        if isSmall { return true }
        let now = ProcessInfo.processInfo.systemUptime
        return lock.withLock {
            guard now - last >= 0.05 else { return false }
            last = now
            return true
        }
    }
}

// Follows run folders and carries requests to trainings, on a thread of its own.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Looks into the folders of trainings twice a second: into those at work and the one shown.
nonisolated final class TrainingWatcher: @unchecked Sendable {
    private let trainings: any TrainingSupervising
    private let mailbox: Mailbox
    private let queue = DispatchQueue(label: "trainings", qos: .utility)
    private let timer: any DispatchSourceTimer
    private var readers: [String: TrainingFolderReader] = [:]
    private var statuses: [String: TrainingStatus] = [:]
    private var shown: String?
    private var isTimed = false

    init(trainings: any TrainingSupervising, mailbox: Mailbox) {
        self.trainings = trainings
        self.mailbox = mailbox
        timer = DispatchSource.makeTimerSource(queue: queue)
    }

    deinit {
        // A source that never ran must run before it may go.
        if !isTimed { timer.resume() }
        timer.cancel()
    }

    /// Looks for recipes and runs.
    func list() {
        queue.async { [self] in
            let runs = trainings.runs()
            mailbox.post(.train(.listed(trainings.recipes(), runs: runs)))
            for folder in runs { look(into: folder) }
            startTimer()
        }
    }

    func start(_ request: TrainingRequest) {
        queue.async { [self] in
            do {
                let folder = try trainings.start(request)
                mailbox.post(.train(.started(folder: folder)))
                look(into: folder)
                startTimer()
            } catch {
                mailbox.post(.train(.refused(String(describing: error))))
            }
        }
    }

    func send(_ command: TrainingCommand, to folder: String) {
        queue.async { [self] in
            do {
                try trainings.send(command, to: folder)
                look(into: folder)
            } catch {
                mailbox.post(.train(.refused(String(describing: error))))
            }
        }
    }

    /// Follows a folder because it is shown.
    func follow(_ folder: String?) {
        queue.async { [self] in
            shown = folder
            if let folder { look(into: folder) }
        }
    }

    func read(_ sample: TrainRun.Sample, of folder: String) {
        queue.async { [self] in
            do {
                let image = try PNG.read(path: folder + "/" + sample.file)
                mailbox.post(.train(.picture(folder: folder, sample, image)))
            } catch {
                mailbox.post(.notice(.warning, String(describing: error)))
            }
        }
    }

    private func startTimer() {
        guard !isTimed else { return }
        isTimed = true
        timer.schedule(deadline: .now() + 0.5, repeating: 0.5, leeway: .milliseconds(100))
        timer.setEventHandler { [weak self] in self?.lookAround() }
        timer.resume()
    }

    private func lookAround() {
        for folder in readers.keys
        where folder == shown || statuses[folder]?.phase.isActive == true {
            look(into: folder)
        }
    }

    private func look(into folder: String) {
        var reader = readers[folder] ?? TrainingFolderReader(folder: folder)
        let isNew = readers[folder] == nil
        var hasMore = true
        while hasMore {
            let news = trainings.read(&reader)
            hasMore = news.hasMore
            let isChanged =
                isNew || news.beginsAnew || !news.records.isEmpty
                || news.status != statuses[folder]
            statuses[folder] = news.status
            if isChanged { mailbox.post(.train(.news(folder, news))) }
        }
        readers[folder] = reader
    }
}

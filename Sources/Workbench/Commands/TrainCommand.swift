// `workbench train`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation

/// Trains any system by a recipe.
struct TrainCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train a system by a recipe.",
        discussion: """
            Writes into runs/<name>/ (or --out): checkpoint.safetensors, metrics.jsonl, status.json, \
            samples/ and, at the end, weights.safetensors. Ctrl-C saves a checkpoint and stops; \
            --resume goes on from it. A running training does what it finds in the file control of \
            its folder, a word a line: pause, resume, checkpoint, sample, stop. The application's \
            Train pane shows and steers it by these files, whoever started it.

            Examples:
              workbench train recipes/hmar-digits/1-tokenizer.toml --data ~/mnist
              workbench train recipes/hmar-digits/1-tokenizer.toml --data ~/mnist --resume
              echo checkpoint >> runs/hmar-digits/1-tokenizer/control
              workbench train recipes/hmar-objects/1-tokenizer.toml --gpus 2
              mpirun -n 2 workbench train recipes/hmar-objects/1-tokenizer.toml

            Several processes, started by --gpus or by any launcher that sets rank and size, share \
            every batch and average their gradients; the result is that of one process to rounding.
            """)

    @Argument(help: "The recipe, a TOML file.")
    var recipe: String

    @Option(help: ArgumentHelp("The folder with the data set.", valueName: "dir"))
    var data: String?

    @Option(help: ArgumentHelp("Where the run is kept.", valueName: "dir"))
    var out: String?

    @Flag(help: "Go on from the last checkpoint.")
    var resume = false

    @Option(help: "Stop after this step and save; for runs in instalments.")
    var stopAfter: Int?

    @Option(help: "End after this many minutes of training; the rate falls with the time.")
    var maxMinutes: Double?

    @Option(help: "Steps between sample pictures; 0 makes none. The recipe's by default.")
    var sampleEvery: Int?

    @Option(
        help: ArgumentHelp(
            "Train on this many GPUs of this machine, one process each.", valueName: "n"))
    var gpus: Int?

    @Flag(
        help: "Avoid sums whose order depends on timing, for the same bits at every run on a GPU.")
    var deterministic = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let gpus, !(1...64).contains(gpus) {
            throw ValidationError("--gpus is \(gpus); give a number from 1 to 64.")
        }
        if let sampleEvery, !(0...100_000_000).contains(sampleEvery) {
            throw ValidationError("--sample-every is \(sampleEvery); give 0 or more.")
        }
    }

    /// Whether this process only starts and watches those that train.
    private func starts(_ rank: ProcessRank) -> Int? {
        rank.size == 1 ? gpus.flatMap { $0 > 1 ? $0 : nil } : nil
    }

    func computeDevice() throws -> any Device {
        guard try starts(.current()) == nil else { return CPUDevice.shared }
        let device = try common.computeDevice()
        (device as? CUDADevice)?.isDeterministic = deterministic
        return device
    }

    func run() throws {
        if let count = try starts(.current()) {
            return try ParallelProcesses(count: count).run()
        }
        let table = try TOMLTable(contentsOfFile: recipe)
        let name = try table.string("name")
        let system = try Registry.trainingSystem(named: table.string("system"), recipe: recipe)
        let folder = try RunFolder(path: out ?? "runs/\(name)")
        let device = currentDevice
        // Held to the end: two trainings never write one folder. The first of several processes holds
        // it and speaks for all.
        let isFirst = try ProcessRank.current().rank == 0
        let lock = isFirst ? try folder.files.take() : nil
        defer { withExtendedLifetime(lock) {} }
        let report = TrainingReport(
            folder: isFirst ? folder.files : nil,
            status: TrainingStatus(
                name: name, system: system.name, recipe: Self.absolute(recipe),
                data: data.map(Self.absolute), device: device.name))
        try report.follow {
            try start(
                system, table: table, folder: folder, device: device, report: report)
        }
    }

    private func start(
        _ system: any TrainingSystem, table: TOMLTable, folder: RunFolder, device: any Device,
        report: TrainingReport
    ) throws {
        let interrupt = Interrupt()
        let parallel = DataParallel(
            try processGroup(folder: folder), wish: interrupt.cancellation)
        let saved = try resume ? folder.load(device: device) : nil
        if resume && saved == nil {
            throw InputError(
                "\(folder.checkpointPath): there is no checkpoint to resume; "
                    + "start without --resume.")
        }
        if !resume && FileManager.default.fileExists(atPath: folder.checkpointPath) {
            throw InputError(
                "\(folder.checkpointPath): this run has a checkpoint already; go on with --resume, "
                    + "or give another folder with --out.")
        }
        let run = try system.makeRun(
            recipe: table,
            context: TrainingContext(
                device: device, dataFolder: data, maxMinutes: maxMinutes,
                cancellation: interrupt.cancellation, parallel: parallel))
        guard parallel.isAlone || run.isDataParallel else {
            throw InputError(
                "\(recipe): \(run.title) trains in one process only; start it without --gpus and "
                    + "without a launcher.")
        }
        if let saved { try run.restore(saved) }
        report.begin(run)
        try train(run, table: table, folder: folder, report: report, parallel: parallel)
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    /// The processes of this job; a group of one when no launcher is found.
    private func processGroup(folder: RunFolder) throws -> any ProcessGroup {
        let rank = try ProcessRank.current()
        guard rank.size > 1 else { return SingleProcess() }
        guard let device = currentDevice as? CUDADevice else {
            throw InputError(
                "This is process \(rank.rank) of \(rank.size), and it has no GPU: training by "
                    + "several processes needs one each. `workbench doctor` says what is missing.")
        }
        return try CUDACommunicator(
            rank, device: device,
            identityPath: "\(folder.path)/.processes-\(ProcessRank.job())")
    }

    private func train(
        _ run: any TrainingRun, table: TOMLTable, folder: RunFolder, report: TrainingReport,
        parallel: DataParallel
    ) throws {
        let isQuiet = common.quiet || parallel.rank.rank > 0
        var line = ProgressLine(common.progress, quiet: isQuiet)
        var rate = RateEstimator()
        var lastLoss = ""
        let trainer = Trainer(
            options: .init(
                logEvery: try table.int("log_every", default: 20, in: 1...1_000_000),
                evaluateEvery: try table.int("evaluate_every", default: 0, in: 0...100_000_000),
                checkpointSeconds: try table.double(
                    "checkpoint_seconds", default: 60, in: 1...86_400),
                stopAfter: stopAfter,
                sampleEvery: try sampleEvery
                    ?? table.int("sample_every", default: 0, in: 0...100_000_000)),
            parallel: parallel, save: folder.save,
            log: { record in
                try folder.append(record)
                lastLoss = record.values.map { "\($0.name) \(Self.short($0.value))" }
                    .joined(separator: "  ")
                if record.kind == .evaluation && !isQuiet {
                    line.clear()
                    Output.note("step \(record.step)  \(lastLoss)")
                }
            }, samples: folder.write, commands: folder.files.takeCommands,
            notify: report.note)
        try trainer.train(run, cancellation: parallel.agreed) { step, total in
            report.advance(to: step, of: total)
            rate.record(step: step, time: ProcessInfo.processInfo.systemUptime)
            let left = rate.remaining(total: total).map { "about \(Self.duration($0)) left" } ?? ""
            line.show("\(run.title)  \(step)/\(total)  \(left)  \(lastLoss)")
        }
        line.clear()
        guard parallel.rank.rank == 0 else { return }
        guard run.isFinished else {
            report.end(.stopped)
            return
        }
        let weights = try run.export()
        try Safetensors.write(
            weights.tensors.map { Safetensors.Item(name: $0.name, tensor: $0.tensor) },
            metadata: weights.metadata, to: folder.weightsPath)
        report.end(.done)
        if !isQuiet { Output.note("Weights: \(folder.weightsPath)") }
    }

    private static func short(_ value: Double) -> String { String(format: "%.4g", value) }

    private static func duration(_ seconds: Double) -> String {
        let s = Int(seconds.rounded())
        if s < 90 { return "\(s) s" }
        return s < 5400 ? "\((s + 30) / 60) min" : String(format: "%.1f h", seconds / 3600)
    }
}

// The device's sampling loop against the host's. SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@testable import Models

@Suite struct ResidentGenerationTests {
    let tokenizer: VQVAE
    let model: HMAR

    init() throws {
        tokenizer = try VQVAE(
            archive: fixtureArchive("tiny_vae.f16.safetensors"), patchNums: [1, 2, 3, 4])
        model = try HMAR(archive: fixtureArchive("tiny_hmar.safetensors"))
    }

    @Test(arguments: [
        ([[1], [1, 3], [1, 1, 2, 5], [4, 5, 7]], 0, 0.0, true),
        ([[1], [4], [9], [16]], 5, 0.9, true), ([[1], [1, 3], [9], [6, 10]], 7, 0.5, false),
    ])
    func tokensAndGridsAreTheHosts(
        rows: [[Int]], topK: Int, topP: Double, refines: Bool
    ) throws {
        let labels: [Int32] = [3, 7]
        let observer = GridObserver()
        var host = ScaleGeneration(
            plan: .init(
                batch: 2, rows: rows, topK: try TopK(topK), topP: try TopP(topP),
                refines: refines),
            predictor: HMARPredictor(
                model, labels: labels, cfg: 1.5, mode: .exact, refines: refines),
            quantizer: tokenizer.quantizer, sampler: RandomSampler(seed: 5, batch: 2),
            observer: observer)
        let wanted = try host.run()
        let resident = ResidentGeneration(
            .init(
                variant: .hmar, batch: 2, cfg: 1.5, mode: .exact, topK: topK, topP: topP,
                operandType: .float32), tokenizer: tokenizer, refines: refines,
            noClass: model.configuration.noClass, device: CPUDevice.shared
        ) { [model] in
            HMARPredictor(
                model, labels: $0, cfg: 1.5, mode: .exact, refines: refines, keepsContext: false)
        }
        for isWatched in [true, false] {
            let seen = GridObserver(wantsPasses: isWatched)
            let found = try resident.run(
                labels: labels, rows: rows, sampler: RandomSampler(seed: 5, batch: 2),
                observer: seen)
            #expect(found.generation.tokens == wanted.tokens)
            #expect(found.generation.passCount == wanted.passCount)
            #expect(found.generation.rows == wanted.rows)
            expectClose(found.generation.fhat, wanted.fhat.floats(), absolute: 1e-6)
            #expect(found.images == tokenizer.decode(wanted.fhat).pictures())
            #expect(seen.finished == observer.finished)
            if isWatched { #expect(seen.passes == observer.passes) }
        }
    }
}

/// Keeps every grid.
private final class GridObserver: GenerationObserver {
    let wantsGrids = true
    let wantsPasses: Bool
    private(set) var passes: [TokenGrid] = []
    private(set) var finished: [TokenGrid] = []

    init(wantsPasses: Bool = true) { self.wantsPasses = wantsPasses }

    func pass(_ pass: GenerationPass) { passes.append(pass.state.grid(side: 1)) }

    func finished(_ state: ScaleState, row: [Int], fhat: Tensor) {
        finished.append(state.grid(side: 1))
    }
}

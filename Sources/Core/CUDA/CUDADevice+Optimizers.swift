// Optimiser steps on CUDA: one launch for all tensors. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    public func adamW(
        weight: Tensor, gradient: Tensor, moment1: Tensor, moment2: Tensor,
        settings: AdamWSettings
    ) {
        adamW([
            AdamWUpdate(
                weight: weight, gradient: gradient, moment1: moment1, moment2: moment2,
                settings: settings)
        ])
    }

    public func adamW(_ updates: [AdamWUpdate]) {
        guard let common = updates.first?.settings else { return }
        for update in updates {
            requireShapes(
                update.weight.shape == update.gradient.shape && update.weight.isContiguous
                    && update.gradient.isContiguous, "adamW",
                [update.weight.shape, update.gradient.shape])
        }
        let pieces = CUDAPieces(counts: updates.map(\.weight.count))
        guard pieces.count > 0 else { return }
        // The weights' bfloat16 copies are refreshed on the way instead of made anew.
        let copies = updates.map { update -> UnsafeMutableRawPointer? in
            lock.withLock {
                let storage = update.weight.storage
                let copy = storage.companion
                storage.forgetDerived()
                storage.companion = copy
                return copy
            }.map { $0.address + 2 * update.weight.offset }
        }
        let tables = upload(
            pieces,
            addresses: zip(updates, copies).map { update, copy in
                [
                    update.weight.address, update.gradient.address, update.moment1.address,
                    update.moment2.address, copy,
                ]
            })
        let numbers = Tensor(
            updates.flatMap { [$0.settings.learningRate, $0.settings.weightDecay] },
            shape: [2 * updates.count], device: self)
        keepForCapture(updates.flatMap { [$0.weight, $0.gradient, $0.moment1, $0.moment2] })
        launch(
            kernel("adamw_of_many", in: .optimizers), grid: (pieces.count, 1, 1),
            block: (256, 1, 1), .tensor(tables.addresses), .tensor(numbers),
            .tensor(tables.counts), .tensor(tables.pieces), .int(CUDAPieces.size),
            .float(common.gradientScale), .float(common.beta1), .float(common.beta2),
            .float(common.epsilon), .float(common.correction1), .float(common.correction2))
    }

    public func movingAverage(_ average: Tensor, toward value: Tensor, decay: Float) {
        movingAverages([(average, value)], decay: decay)
    }

    public func movingAverages(_ pairs: [(average: Tensor, value: Tensor)], decay: Float) {
        let pieces = CUDAPieces(counts: pairs.map(\.average.count))
        guard pieces.count > 0 else { return }
        let tables = upload(
            pieces, addresses: pairs.map { [$0.average.address, $0.value.address] })
        for pair in pairs { written(pair.average) }
        keepForCapture(pairs.flatMap { [$0.average, $0.value] })
        launch(
            kernel("averages_of_many", in: .optimizers), grid: (pieces.count, 1, 1),
            block: (256, 1, 1), .tensor(tables.addresses), .tensor(tables.counts),
            .tensor(tables.pieces), .int(CUDAPieces.size), .float(1 - decay))
    }

    public func copies(_ pairs: [(source: Tensor, destination: Tensor)]) {
        func isDense(_ pair: (source: Tensor, destination: Tensor)) -> Bool {
            pair.source.isContiguous && pair.destination.isContiguous
                && pair.source.dtype == .float32 && pair.source.shape == pair.destination.shape
        }
        for pair in pairs where !isDense(pair) { copy(pair.source, into: pair.destination) }
        let dense = pairs.filter(isDense)
        let pieces = CUDAPieces(counts: dense.map(\.source.count))
        guard pieces.count > 0 else { return }
        let tables = upload(
            pieces, addresses: dense.map { [$0.source.address, $0.destination.address] })
        for pair in dense { written(pair.destination) }
        keepForCapture(dense.flatMap { [$0.source, $0.destination] })
        launch(
            kernel("copies_of_many", in: .optimizers), grid: (pieces.count, 1, 1),
            block: (256, 1, 1), .tensor(tables.addresses), .tensor(tables.counts),
            .tensor(tables.pieces), .int(CUDAPieces.size))
    }
}

// Optimiser steps on the CPU. SPDX-License-Identifier: Apache-2.0
import CKernels

extension CPUDevice {
    public func adamW(
        weight: Tensor, gradient: Tensor, moment1: Tensor, moment2: Tensor,
        settings s: AdamWSettings
    ) {
        requireShapes(
            weight.shape == gradient.shape && weight.isContiguous && gradient.isContiguous,
            "adamW", [weight.shape, gradient.shape])
        ck_adamw_f32(
            pool, weight.floatAddress, gradient.floatAddress, moment1.floatAddress,
            moment2.floatAddress, weight.count, s.gradientScale, s.learningRate, s.beta1, s.beta2,
            s.epsilon, s.weightDecay, s.correction1, s.correction2)
    }

    public func movingAverage(_ average: Tensor, toward value: Tensor, decay: Float) {
        ck_moving_average_f32(
            pool, average.floatAddress, value.floatAddress, average.count, decay)
    }
}
